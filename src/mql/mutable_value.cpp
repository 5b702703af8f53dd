#include "mql/mutable_value.hpp"

#include <algorithm>

namespace tombolo::mql::detail {

MutableValue::MutableValue() = default;
MutableValue::MutableValue(BsonView value) : type_(value.type()), borrowed_(value) {}
MutableValue::MutableValue(BsonValue value) : type_(value.type()), owned_(std::move(value)) {}
MutableValue::MutableValue(MutableValue&&) noexcept = default;
MutableValue& MutableValue::operator=(MutableValue&&) noexcept = default;
MutableValue::~MutableValue() = default;

void MutableValue::clear_to(BsonType container) {
    type_ = container;
    expanded_ = true;
    fields_.clear();
}

std::vector<MutableValue::Field>& MutableValue::fields() {
    if (!expanded_) {
        expanded_ = true;
        const BsonView source = owned_.is_missing() ? borrowed_ : owned_.view();
        for (const BsonElement& element : source.as_document()) {
            fields_.push_back({element.key, MutableValue(element.value)});
        }
    }
    return fields_;
}

MutableValue* MutableValue::find(std::string_view name) {
    for (Field& field : fields()) {
        if (field.name == name && !field.value.is_missing()) {
            return &field.value;
        }
    }
    return nullptr;
}

MutableValue& MutableValue::add(std::string_view name) {
    return fields().emplace_back(Field{name, MutableValue()}).value;
}

bool MutableValue::erase(std::string_view name) {
    return std::erase_if(fields(), [&](const Field& field) { return field.name == name; }) != 0;
}

BsonView MutableValue::view(BsonValue& storage) const {
    if (!expanded_) {
        return owned_.is_missing() ? borrowed_ : owned_.view();
    }
    BsonWriter writer(is_array());
    for (const Field& field : fields_) {
        field.value.write(writer, field.name);
    }
    BsonDocument document = std::move(writer).finish();
    storage =
        is_array() ? std::move(document).into_array_value() : std::move(document).into_value();
    return storage.view();
}

void MutableValue::write(BsonWriter& writer, std::string_view key) const {
    if (!expanded_) {
        writer.append(key, owned_.is_missing() ? borrowed_ : owned_.view());
        return;
    }
    if (is_array()) {
        writer.begin_array(key);
    } else {
        writer.begin_document(key);
    }
    for (const Field& field : fields_) {
        field.value.write(writer, field.name);
    }
    writer.end();
}

void MutableValue::write_members(BsonWriter& writer) const {
    if (expanded_) {
        for (const Field& field : fields_) {
            field.value.write(writer, field.name);
        }
        return;
    }
    const BsonView source = owned_.is_missing() ? borrowed_ : owned_.view();
    for (const BsonElement& element : source.as_document()) {
        writer.append(element.key, element.value);
    }
}

} // namespace tombolo::mql::detail
