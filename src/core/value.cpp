#include "core/value.hpp"

#include <algorithm>
#include <type_traits>

#include "core/check.hpp"

namespace tombolo {

std::string_view type_name(ValueType type) noexcept {
    switch (type) {
    case ValueType::null:
        return "Null";
    case ValueType::integer:
        return "Int";
    case ValueType::boolean:
        return "Bool";
    case ValueType::string:
        return "String";
    case ValueType::binary:
        return "Data";
    case ValueType::timestamp:
        return "Date";
    case ValueType::float32:
        return "Float";
    case ValueType::float64:
        return "Double";
    case ValueType::decimal128:
        return "Decimal128";
    case ValueType::link:
        return "Link";
    case ValueType::object_id:
        return "ObjectId";
    case ValueType::uuid:
        return "UUID";
    case ValueType::list:
        return "List";
    case ValueType::set:
        return "Set";
    case ValueType::dictionary:
        return "Dictionary";
    case ValueType::object:
        return "Object";
    }
    return "unknown";
}

namespace {

bool value_less(const Value& left, const Value& right) noexcept {
    return compare(left, right) < 0;
}

bool key_less(const Dictionary::Entry& entry, std::string_view key) noexcept {
    return entry.first < key;
}

struct OwnedStorage {
    Value::Storage operator()(std::string_view text) const { return std::string(text); }
    Value::Storage operator()(const BinaryView& binary) const {
        return Binary{{binary.bytes.begin(), binary.bytes.end()}};
    }
    Value::Storage operator()(const LinkView& link) const {
        return std::make_shared<const Link>(Link{std::string(link.class_name), to_owned(link.key)});
    }
    template <class Plain>
    Value::Storage operator()(const Plain& plain) const {
        return plain;
    }
};

struct BorrowedScalar {
    ScalarView operator()(const std::string& text) const noexcept { return std::string_view(text); }
    ScalarView operator()(const Binary& binary) const noexcept { return BinaryView{binary.bytes}; }
    ScalarView operator()(const std::shared_ptr<const Link>& link) const noexcept {
        return LinkView{link->class_name, to_view(link->key)};
    }
    template <class Plain>
    ScalarView operator()(const Plain& plain) const noexcept {
        if constexpr (std::is_constructible_v<ScalarView, const Plain&>) {
            return plain;
        } else {
            return {}; // a collection: ruled out by the precondition
        }
    }
};

} // namespace

Set::Set(std::initializer_list<Value> elements) {
    for (const Value& element : elements) {
        insert(element);
    }
}

bool Set::insert(Value element) {
    // Sets are mostly built in order: look at the end first.
    if (elements_.empty() || value_less(elements_.back(), element)) {
        elements_.push_back(std::move(element));
        return true;
    }
    const auto place = std::lower_bound(elements_.begin(), elements_.end(), element, value_less);
    if (!value_less(element, *place)) {
        return false;
    }
    elements_.insert(place, std::move(element));
    return true;
}

bool Set::erase(const Value& element) {
    const auto place = std::lower_bound(elements_.begin(), elements_.end(), element, value_less);
    if (place == elements_.end() || value_less(element, *place)) {
        return false;
    }
    elements_.erase(place);
    return true;
}

bool Set::contains(const Value& element) const {
    return std::binary_search(elements_.begin(), elements_.end(), element, value_less);
}

void Set::clear() noexcept {
    elements_.clear();
}

Dictionary::Dictionary(std::initializer_list<Entry> entries) {
    for (const Entry& entry : entries) {
        set(entry.first, entry.second);
    }
}

Dictionary Dictionary::from_sorted(std::vector<Entry> entries) {
    TOMBOLO_DCHECK(
        std::adjacent_find(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
            return a.first >= b.first;
        }) == entries.end());
    Dictionary dictionary;
    dictionary.entries_ = std::move(entries);
    return dictionary;
}

Value* Dictionary::find(std::string_view key) noexcept {
    const auto place = std::lower_bound(entries_.begin(), entries_.end(), key, key_less);
    return place != entries_.end() && place->first == key ? &place->second : nullptr;
}

const Value* Dictionary::find(std::string_view key) const noexcept {
    const auto place = std::lower_bound(entries_.begin(), entries_.end(), key, key_less);
    return place != entries_.end() && place->first == key ? &place->second : nullptr;
}

Value& Dictionary::set(std::string_view key, Value value) {
    if (entries_.empty() || entries_.back().first < key) {
        return entries_.emplace_back(std::string(key), std::move(value)).second;
    }
    const auto place = std::lower_bound(entries_.begin(), entries_.end(), key, key_less);
    if (place->first == key) {
        place->second = std::move(value);
        return place->second;
    }
    return entries_.emplace(place, std::string(key), std::move(value))->second;
}

bool Dictionary::erase(std::string_view key) {
    const auto place = std::lower_bound(entries_.begin(), entries_.end(), key, key_less);
    if (place == entries_.end() || place->first != key) {
        return false;
    }
    entries_.erase(place);
    return true;
}

std::size_t Dictionary::size() const noexcept {
    return entries_.size();
}

void Dictionary::clear() noexcept {
    entries_.clear();
}

Value::Value(const ScalarView& scalar) : storage_(std::visit(OwnedStorage{}, scalar)) {}

const Link* Value::link() const noexcept {
    const auto* link = std::get_if<std::shared_ptr<const Link>>(&storage_);
    return link != nullptr ? link->get() : nullptr;
}

ScalarView Value::scalar() const noexcept {
    return std::visit(BorrowedScalar{}, storage_);
}

} // namespace tombolo
