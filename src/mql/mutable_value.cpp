#include "mql/mutable_value.hpp"

#include <unordered_map>

namespace tombolo::mql::detail {

namespace {

/// Documents of so many fields are looked up by a table: an update may name every one of them.
constexpr std::size_t indexed_fields_min = 64;

} // namespace

// What a changed value needs beyond the borrowed one.
struct MutableValue::State {
    BsonType type = BsonType::missing;
    bool expanded = false;
    BsonValue owned; ///< replaces the borrowed value unless missing
    std::vector<Field> fields;
    std::unordered_map<std::string_view, std::size_t> index; ///< of large documents, made by find
};

MutableValue::MutableValue() = default;
MutableValue::MutableValue(BsonView value) : borrowed_(value) {}
MutableValue::MutableValue(BsonValue value) {
    state().type = value.type();
    state_->owned = std::move(value);
}
MutableValue::MutableValue(MutableValue&&) noexcept = default;
MutableValue& MutableValue::operator=(MutableValue&&) noexcept = default;
MutableValue::~MutableValue() = default;

MutableValue::State& MutableValue::state() {
    if (state_ == nullptr) {
        state_ = std::make_unique<State>();
        state_->type = borrowed_.type();
    }
    return *state_;
}

BsonView MutableValue::source() const noexcept {
    return state_ == nullptr || state_->owned.is_missing() ? borrowed_ : state_->owned.view();
}

BsonType MutableValue::type() const noexcept {
    return state_ == nullptr ? borrowed_.type() : state_->type;
}

void MutableValue::clear_to(BsonType container) {
    *this = MutableValue();
    state().type = container;
    state_->expanded = true;
}

std::vector<MutableValue::Field>& MutableValue::fields() {
    State& own = state();
    if (!own.expanded) {
        own.expanded = true;
        for (const BsonElement& element : source().as_document()) {
            own.fields.push_back({element.key, MutableValue(element.value)});
        }
    }
    return own.fields;
}

MutableValue* MutableValue::find(std::string_view name) {
    std::vector<Field>& members = fields();
    if (members.size() < indexed_fields_min) {
        for (Field& field : members) {
            if (field.name == name && !field.value.is_missing()) {
                return &field.value;
            }
        }
        return nullptr;
    }
    auto& index = state_->index;
    if (index.empty()) {
        for (std::size_t i = 0; i < members.size(); ++i) {
            if (!members[i].value.is_missing()) {
                index.emplace(members[i].name, i);
            }
        }
    }
    const auto found = index.find(name);
    if (found == index.end() || members[found->second].value.is_missing()) {
        return nullptr;
    }
    return &members[found->second].value;
}

MutableValue& MutableValue::add(std::string_view name) {
    MutableValue& added = fields().emplace_back(Field{name, MutableValue()}).value;
    if (!state_->index.empty()) {
        state_->index[name] = state_->fields.size() - 1;
    }
    return added;
}

bool MutableValue::erase(std::string_view name) {
    MutableValue* found = find(name);
    if (found == nullptr) {
        return false;
    }
    *found = MutableValue();
    return true;
}

BsonView MutableValue::view(BsonValue& storage) const {
    if (state_ == nullptr || !state_->expanded) {
        return source();
    }
    BsonWriter writer(is_array());
    for (const Field& field : state_->fields) {
        field.value.write(writer, field.name);
    }
    BsonDocument document = std::move(writer).finish();
    storage =
        is_array() ? std::move(document).into_array_value() : std::move(document).into_value();
    return storage.view();
}

void MutableValue::write(BsonWriter& writer, std::string_view key) const {
    if (state_ == nullptr || !state_->expanded) {
        writer.append(key, source());
        return;
    }
    if (is_array()) {
        writer.begin_array(key);
    } else {
        writer.begin_document(key);
    }
    for (const Field& field : state_->fields) {
        field.value.write(writer, field.name);
    }
    writer.end();
}

void MutableValue::write_members(BsonWriter& writer) const {
    if (state_ == nullptr || !state_->expanded) {
        for (const BsonElement& element : source().as_document()) {
            writer.append(element.key, element.value);
        }
        return;
    }
    for (const Field& field : state_->fields) {
        field.value.write(writer, field.name);
    }
}

} // namespace tombolo::mql::detail
