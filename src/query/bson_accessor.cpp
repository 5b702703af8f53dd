#include "query/bson_accessor.hpp"

#include <bit>

namespace tombolo::query {
namespace {

using schema::CollectionKind;
using schema::Property;
using schema::PropertyType;

// Both BSON and every platform we build for are little-endian; what is not is refused here, not
// misread.
static_assert(std::endian::native == std::endian::little);

template <class T>
T load(const std::byte* at) noexcept {
    T out;
    std::memcpy(&out, at, sizeof(T));
    return out;
}

std::string_view text_at(const std::byte* value, std::uint32_t size) noexcept {
    // int32 length including the final NUL, then the bytes.
    return {reinterpret_cast<const char*>(value) + 4, size - 5};
}

/// The rest of a length-prefixed value; `fixed` bytes are not counted by the prefix.
bool prefixed(const std::byte* value, std::size_t room, std::size_t fixed, std::size_t least,
              std::size_t& size) noexcept {
    if (room < 4) {
        return false;
    }
    const auto length = load<std::int32_t>(value);
    if (length < 0 || static_cast<std::size_t>(length) < least) {
        return false;
    }
    size = static_cast<std::size_t>(length) + fixed;
    return size <= room;
}

bool two_strings(const std::byte* value, std::size_t room, std::size_t& size) noexcept {
    size = 0;
    for (int i = 0; i < 2; ++i) {
        const void* end = std::memchr(value + size, 0, room - size);
        if (!end) {
            return false;
        }
        size = static_cast<std::size_t>(static_cast<const std::byte*>(end) - value) + 1;
    }
    return true;
}

bool is_nothing(BsonType type) noexcept {
    return type == BsonType::missing || type == BsonType::null || type == BsonType::undefined;
}

ByteView bytes_of(const BsonCell& cell) noexcept {
    return {cell.value, cell.size};
}

PrimaryKeyView key_in(BsonType type, const std::byte* value, std::uint32_t size) noexcept {
    switch (type) {
    case BsonType::int32:
        return std::int64_t{load<std::int32_t>(value)};
    case BsonType::int64:
        return load<std::int64_t>(value);
    case BsonType::string:
        return text_at(value, size);
    case BsonType::object_id: {
        ObjectId id;
        std::memcpy(id.bytes.data(), value, id.bytes.size());
        return id;
    }
    case BsonType::binary:
        if (size == 21 && value[4] == std::byte{4}) {
            Uuid id;
            std::memcpy(id.bytes.data(), value + 5, id.bytes.size());
            return id;
        }
        return {};
    default:
        return {};
    }
}

Item collection_item(CollectionKind kind) noexcept {
    switch (kind) {
    case CollectionKind::list:
        return Item::of_type(ValueType::list);
    case CollectionKind::set:
        return Item::of_type(ValueType::set);
    case CollectionKind::dictionary:
        return Item::of_type(ValueType::dictionary);
    case CollectionKind::none:
        break;
    }
    return {};
}

} // namespace

bool bson_value_size(BsonType type, const std::byte* value, std::size_t room,
                     std::size_t& size) noexcept {
    switch (static_cast<std::uint8_t>(type)) {
    case 0x01: // double
    case 0x09: // date
    case 0x11: // timestamp
    case 0x12: // int64
        size = 8;
        return room >= 8;
    case 0x10: // int32
        size = 4;
        return room >= 4;
    case 0x08: // bool
        size = 1;
        return room >= 1;
    case 0x06: // undefined
    case 0x0A: // null
    case 0x7F: // max key
    case 0xFF: // min key
        size = 0;
        return true;
    case 0x07: // ObjectId
        size = 12;
        return room >= 12;
    case 0x13: // decimal128
        size = 16;
        return room >= 16;
    case 0x02: // string
    case 0x0D: // code
    case 0x0E: // symbol
        return prefixed(value, room, 4, 1, size);
    case 0x03: // document
    case 0x04: // array
    case 0x0F: // code with scope
        return prefixed(value, room, 0, 5, size);
    case 0x05: // binary
        return prefixed(value, room, 5, 0, size);
    case 0x0B: // regular expression
        return two_strings(value, room, size);
    case 0x0C: // pointer
        return prefixed(value, room, 16, 1, size);
    default:
        return false;
    }
}

BsonReader::BsonReader(ByteView document) noexcept : at_(document.data()), end_(document.data()) {
    std::size_t size = 0;
    if (document.size() >= 5 &&
        bson_value_size(BsonType::document, document.data(), document.size(), size)) {
        at_ += 4;
        end_ += size;
    }
}

bool BsonReader::next(BsonElement& element) noexcept {
    if (at_ >= end_ || *at_ == std::byte{0}) {
        return false;
    }
    const auto type = static_cast<BsonType>(*at_);
    const std::byte* name = at_ + 1;
    const auto room = static_cast<std::size_t>(end_ - name);
    const void* name_end = std::memchr(name, 0, room);
    std::size_t size = 0;
    if (!name_end) {
        at_ = end_;
        return false;
    }
    const std::byte* value = static_cast<const std::byte*>(name_end) + 1;
    if (!bson_value_size(type, value, static_cast<std::size_t>(end_ - value), size)) {
        at_ = end_;
        return false;
    }
    element.type = type;
    element.name = {reinterpret_cast<const char*>(name),
                    static_cast<std::size_t>(static_cast<const std::byte*>(name_end) - name)};
    element.value = value;
    element.size = static_cast<std::uint32_t>(size);
    at_ = value + size;
    return true;
}

PrimaryKeyView primary_key_of(ByteView document) noexcept {
    BsonReader reader(document);
    BsonElement element;
    while (reader.next(element)) {
        if (element.name == "_id") {
            return key_in(element.type, element.value, element.size);
        }
    }
    return {};
}

BsonCell BsonAccessor::search(ByteView document, const Property& property) noexcept {
    BsonReader reader(document);
    BsonElement element;
    while (reader.next(element)) {
        if (element.name == property.name) {
            return {element.value, element.size, element.type, false, &property};
        }
    }
    return {nullptr, 0, BsonType::missing, false, &property};
}

Item BsonAccessor::self(const Object& object,
                        const schema::ClassSchema& object_class) const noexcept {
    if (object_class.is_embedded()) {
        return Item::of_type(ValueType::object);
    }
    return Item(ScalarView(LinkView{object_class.name(), primary_key_of(object.document)}));
}

/// A value by its BSON type alone.
Item BsonAccessor::plain(const Cell& cell) noexcept {
    switch (cell.type) {
    case BsonType::float64: {
        const auto value = load<double>(cell.value);
        const bool narrow = cell.property && cell.property->type == PropertyType::float32;
        return narrow ? Item(ScalarView(static_cast<float>(value))) : Item(ScalarView(value));
    }
    case BsonType::string:
        return Item(ScalarView(text_at(cell.value, cell.size)));
    case BsonType::document:
        return Item::of_type(ValueType::dictionary);
    case BsonType::array:
        return Item::of_type(ValueType::list);
    case BsonType::binary:
        if (cell.size == 21 && cell.value[4] == std::byte{4}) {
            Uuid id;
            std::memcpy(id.bytes.data(), cell.value + 5, id.bytes.size());
            return Item(ScalarView(id));
        }
        return Item(ScalarView(BinaryView{{cell.value + 5, cell.size - 5}}));
    case BsonType::object_id: {
        ObjectId id;
        std::memcpy(id.bytes.data(), cell.value, id.bytes.size());
        return Item(ScalarView(id));
    }
    case BsonType::boolean:
        return Item(ScalarView(*cell.value != std::byte{0}));
    case BsonType::date:
        return Item(ScalarView(Timestamp::from_unix_ms(load<std::int64_t>(cell.value))));
    case BsonType::int32:
        return Item(ScalarView(std::int64_t{load<std::int32_t>(cell.value)}));
    case BsonType::int64:
        return Item(ScalarView(load<std::int64_t>(cell.value)));
    case BsonType::decimal128: {
        Decimal128 value;
        value.low = load<std::uint64_t>(cell.value);
        value.high = load<std::uint64_t>(cell.value + 8);
        return Item(ScalarView(value));
    }
    default:
        return {};
    }
}

/// A declared link: the target's key. Dangling ones read as null when there is a lookup to tell.
Item BsonAccessor::link_item(const Cell& cell) const noexcept {
    if (cell.type == BsonType::document) {
        return Item::of_type(ValueType::object);
    }
    const PrimaryKeyView key = key_in(cell.type, cell.value, cell.size);
    if (std::holds_alternative<std::monostate>(key) ||
        (lookup_ && lookup_->document(cell.property->target, key).empty())) {
        return {};
    }
    return Item(ScalarView(LinkView{cell.property->target, key}));
}

/// A link inside Mixed: {$ref: <collection>, $id: <key>}; null type for other documents.
Item BsonAccessor::reference(const Cell& cell) const noexcept {
    BsonReader reader(bytes_of(cell));
    BsonElement first;
    BsonElement second;
    const bool found = reader.next(first) && first.name == "$ref" &&
                       first.type == BsonType::string && reader.next(second) &&
                       second.name == "$id";
    if (!found) {
        return {};
    }
    const std::string_view collection = text_at(first.value, first.size);
    const PrimaryKeyView key = key_in(second.type, second.value, second.size);
    return Item(ScalarView(LinkView{lookup_ ? lookup_->class_of(collection) : collection, key}));
}

Item BsonAccessor::item(const Cell& cell) const noexcept {
    const bool typed_collection =
        cell.property && !cell.is_element && cell.property->is_collection();
    if (typed_collection) {
        const bool sequence = cell.property->collection != CollectionKind::dictionary;
        const bool fits = sequence ? cell.type == BsonType::array : cell.type == BsonType::document;
        // Missing, null and empty are one (device-sync-server.md 1.2).
        return fits || is_nothing(cell.type) ? collection_item(cell.property->collection)
                                             : plain(cell);
    }
    if (is_nothing(cell.type)) {
        return {};
    }
    const PropertyType declared = cell.property ? cell.property->type : PropertyType::mixed;
    if (declared == PropertyType::link) {
        return link_item(cell);
    }
    if (cell.type == BsonType::document) {
        Item link = declared == PropertyType::mixed ? reference(cell) : Item();
        return link.is_null() ? Item::of_type(ValueType::dictionary) : link;
    }
    return plain(cell);
}

std::size_t BsonAccessor::size(const Cell& cell) const noexcept {
    std::size_t count = 0;
    for_each(cell, [&count](const Cell&) {
        ++count;
        return true;
    });
    return count;
}

std::optional<BsonCell> BsonAccessor::element(const Cell& cell, std::size_t index) const noexcept {
    std::optional<Cell> out;
    for_each(cell, [&](const Cell& element) {
        if (index-- == 0) {
            out = element;
            return false;
        }
        return true;
    });
    return out;
}

std::optional<BsonCell> BsonAccessor::find(const Cell& cell, std::string_view key) const noexcept {
    BsonReader reader(bytes_of(cell));
    BsonElement element;
    while (reader.next(element)) {
        if (element.name == key) {
            const bool typed = cell.property && !cell.is_element && cell.property->is_collection();
            return Cell{element.value, element.size, element.type, true,
                        typed ? cell.property : nullptr};
        }
    }
    return std::nullopt;
}

bool BsonAccessor::for_each(const Cell& cell, FunctionRef<bool(const Cell&)> f) const {
    if (is_nothing(cell.type)) {
        return true;
    }
    const bool typed = cell.property && !cell.is_element && cell.property->is_collection();
    // Dangling links are hidden from lists and sets (database-and-sdk.md 1.8).
    const bool hides = lookup_ && typed && cell.property->is_link() && cell.type == BsonType::array;
    BsonReader reader(bytes_of(cell));
    BsonElement element;
    while (reader.next(element)) {
        const Cell next{element.value, element.size, element.type, true,
                        typed ? cell.property : nullptr};
        if (!(hides && item(next).is_null()) && !f(next)) {
            return false;
        }
    }
    return true;
}

bool BsonAccessor::for_each_key(const Cell& cell, FunctionRef<bool(std::string_view)> f) const {
    if (cell.type == BsonType::document) {
        BsonReader reader(bytes_of(cell));
        BsonElement element;
        while (reader.next(element)) {
            if (!f(element.name)) {
                return false;
            }
        }
    }
    return true;
}

std::optional<BsonObject> BsonAccessor::follow(const Cell& cell,
                                               const schema::ClassSchema& object_class) const {
    if (object_class.is_embedded()) {
        if (cell.type != BsonType::document) {
            return std::nullopt;
        }
        return BsonObject{bytes_of(cell), &object_class, nullptr, 0};
    }
    if (!lookup_ || is_nothing(cell.type)) {
        return std::nullopt;
    }
    const ByteView document =
        lookup_->document(object_class.name(), key_in(cell.type, cell.value, cell.size));
    return document.empty()
               ? std::nullopt
               : std::optional<Object>(BsonObject{document, &object_class, nullptr, 0});
}

std::size_t BsonAccessor::count_links(const Cell& cell, const Item& target) const {
    const Item own = item(cell);
    if (own.type == ValueType::link) {
        return equal(own, target) ? 1 : 0;
    }
    std::size_t count = 0;
    if (own.type == ValueType::list || own.type == ValueType::set ||
        own.type == ValueType::dictionary) {
        for_each(cell, [&](const Cell& element) {
            count += equal(item(element), target) ? 1 : 0;
            return true;
        });
    }
    return count;
}

bool BsonAccessor::for_each_backlink(const Object& object, const schema::ClassSchema& object_class,
                                     const Property& property,
                                     FunctionRef<bool(const Object&)> f) const {
    if (!lookup_ || !object.object_class) {
        return true;
    }
    const Item target = self(object, *object.object_class);
    return lookup_->for_each(object_class.name(), [&](ByteView document) {
        const Object origin{document, &object_class, nullptr, 0};
        for (std::size_t links = count_links(search(document, property), target); links > 0;
             --links) {
            if (!f(origin)) {
                return false;
            }
        }
        return true;
    });
}

std::size_t BsonAccessor::backlink_count(const Object&) const noexcept {
    return 0;
}

} // namespace tombolo::query
