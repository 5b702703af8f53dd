#include "core/bson.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <type_traits>

#include <fmt/format.h>

#include "core/bson_support.hpp"
#include "core/limits.hpp"
#include "core/text.hpp"

namespace tombolo {

namespace {

using detail::ChildBson;
using detail::FieldPath;

Error too_deep(const FieldPath& path) {
    return path.error(ErrorCode::limit_exceeded,
                      fmt::format("documents and arrays are nested more than {} levels deep",
                                  limits::document_depth_max));
}

class Decoder {
  public:
    Result<Value> document(const bson_t& bson) {
        bson_iter_t elements;
        if (!bson_iter_init(&elements, &bson)) {
            return damaged();
        }
        return fields(elements);
    }

    Result<Value> array(const bson_t& bson) {
        bson_iter_t elements;
        if (!bson_iter_init(&elements, &bson)) {
            return damaged();
        }
        return list(elements);
    }

    Result<Value> only_field(const bson_t& bson) {
        bson_iter_t elements;
        if (!bson_iter_init(&elements, &bson) || !bson_iter_next(&elements)) {
            return Error(ErrorCode::bad_bson, "expected a document with one field");
        }
        const FieldPath::Scope scope(path_, detail::key_of(elements));
        TOMBOLO_TRY(Value only, value(elements));
        if (bson_iter_next(&elements) || detail::is_damaged(elements)) {
            return Error(ErrorCode::bad_bson, "expected a document with one field");
        }
        return only;
    }

  private:
    Error damaged() const {
        return path_.error(ErrorCode::bad_bson, "the bytes are no BSON document: a value or key "
                                                "is damaged or reaches beyond its document");
    }

    Result<Value> fields(bson_iter_t& elements) {
        std::vector<Dictionary::Entry> entries;
        while (bson_iter_next(&elements)) {
            const std::string_view key = detail::key_of(elements);
            const FieldPath::Scope scope(path_, key);
            if (!is_utf8(key)) {
                return path_.error(ErrorCode::bad_utf8, "a key is not valid UTF-8");
            }
            TOMBOLO_TRY(Value element, value(elements));
            entries.emplace_back(std::string(key), std::move(element));
        }
        if (detail::is_damaged(elements)) {
            return damaged();
        }
        if (auto link = link_from(entries)) {
            return Value(*std::move(link));
        }
        std::sort(entries.begin(), entries.end(),
                  [](const auto& a, const auto& b) { return a.first < b.first; });
        const auto twice =
            std::adjacent_find(entries.begin(), entries.end(),
                               [](const auto& a, const auto& b) { return a.first == b.first; });
        if (twice != entries.end()) {
            return path_.error(ErrorCode::bad_bson,
                               "the key " + quoted(twice->first) + " occurs twice in a document");
        }
        return Value(Dictionary::from_sorted(std::move(entries)));
    }

    Result<Value> list(bson_iter_t& elements) {
        List out;
        while (bson_iter_next(&elements)) {
            const FieldPath::Scope scope(path_, out.elements.size());
            TOMBOLO_TRY(Value element, value(elements));
            out.elements.push_back(std::move(element));
        }
        if (detail::is_damaged(elements)) {
            return damaged();
        }
        return Value(std::move(out));
    }

    /// The link that these fields of a document stand for: "$ref", "$id" and perhaps "$db", in this
    /// order.
    static std::optional<Link> link_from(std::vector<Dictionary::Entry>& entries) {
        const std::size_t count = entries.size();
        if (count < 2 || count > 3 || entries[0].first != "$ref" || entries[1].first != "$id" ||
            (count == 3 &&
             (entries[2].first != "$db" || entries[2].second.get_if<std::string>() == nullptr))) {
            return std::nullopt;
        }
        const std::string* name = entries[0].second.get_if<std::string>();
        auto key = key_from(entries[1].second);
        if (name == nullptr || !key) {
            return std::nullopt;
        }
        return Link{*name, *std::move(key)};
    }

    static std::optional<PrimaryKey> key_from(const Value& value) {
        switch (value.type()) {
        case ValueType::null:
            return PrimaryKey();
        case ValueType::integer:
            return PrimaryKey(*value.get_if<std::int64_t>());
        case ValueType::string:
            return PrimaryKey(*value.get_if<std::string>());
        case ValueType::object_id:
            return PrimaryKey(*value.get_if<ObjectId>());
        case ValueType::uuid:
            return PrimaryKey(*value.get_if<Uuid>());
        default:
            return std::nullopt;
        }
    }

    Result<Value> nested(const bson_iter_t& element) {
        if (path_.depth() > limits::document_depth_max) {
            return too_deep(path_);
        }
        bson_iter_t elements;
        if (!bson_iter_recurse(&element, &elements)) {
            return damaged();
        }
        return bson_iter_type(&element) == BSON_TYPE_ARRAY ? list(elements) : fields(elements);
    }

    Result<Value> text(const bson_iter_t& element) const {
        std::uint32_t size = 0;
        const char* data = bson_iter_utf8(&element, &size);
        const std::string_view view(data, size);
        if (!is_utf8(view)) {
            return path_.error(ErrorCode::bad_utf8, "a string is not valid UTF-8");
        }
        return Value(view);
    }

    static Value binary(const bson_iter_t& element) {
        bson_subtype_t subtype{};
        std::uint32_t size = 0;
        const std::uint8_t* data = nullptr;
        bson_iter_binary(&element, &subtype, &size, &data);
        if (subtype == BSON_SUBTYPE_UUID && size == 16) {
            Uuid uuid;
            std::memcpy(uuid.bytes.data(), data, size);
            return uuid;
        }
        const auto* begin = reinterpret_cast<const std::byte*>(data);
        return Binary{{begin, begin + size}};
    }

    Result<Value> value(const bson_iter_t& element) {
        switch (bson_iter_type(&element)) {
        case BSON_TYPE_NULL:
            return Value();
        case BSON_TYPE_BOOL:
            return Value(bson_iter_bool(&element));
        case BSON_TYPE_INT32:
            return Value(std::int64_t{bson_iter_int32(&element)});
        case BSON_TYPE_INT64:
            return Value(std::int64_t{bson_iter_int64(&element)});
        case BSON_TYPE_DOUBLE:
            return Value(bson_iter_double(&element));
        case BSON_TYPE_DECIMAL128: {
            bson_decimal128_t decimal{};
            bson_iter_decimal128(&element, &decimal);
            return Value(Decimal128{decimal.high, decimal.low});
        }
        case BSON_TYPE_UTF8:
            return text(element);
        case BSON_TYPE_BINARY:
            return binary(element);
        case BSON_TYPE_OID:
            return Value(detail::object_id_from(*bson_iter_oid(&element)));
        case BSON_TYPE_DATE_TIME:
            return Value(Timestamp::from_unix_ms(bson_iter_date_time(&element)));
        case BSON_TYPE_DOCUMENT:
        case BSON_TYPE_ARRAY:
            return nested(element);
        default:
            return path_.error(ErrorCode::unsupported,
                               fmt::format("a BSON value of type 0x{:02x} has no counterpart "
                                           "among property types",
                                           static_cast<unsigned>(bson_iter_type(&element))));
        }
    }

    FieldPath path_;
};

class Encoder {
  public:
    Result<void> fields(bson_t* out, const Dictionary& dictionary) {
        for (const auto& [key, value] : dictionary.entries()) {
            const FieldPath::Scope scope(path_, key);
            if (key.find('\0') != std::string::npos) {
                return path_.error(ErrorCode::invalid_argument, "a key must not contain NUL");
            }
            if (!is_utf8(key)) {
                return path_.error(ErrorCode::bad_utf8, "a key is not valid UTF-8");
            }
            TOMBOLO_TRY_VOID(element(out, key, value));
        }
        return {};
    }

    Result<void> elements(bson_t* out, const std::vector<Value>& values) {
        for (std::size_t i = 0; i < values.size(); ++i) {
            const FieldPath::Scope scope(path_, i);
            TOMBOLO_TRY_VOID(element(out, detail::IndexKey(i).text(), values[i]));
        }
        return {};
    }

    Result<void> element(bson_t* out, std::string_view key, const Value& value) {
        if (value.is_scalar()) {
            TOMBOLO_TRY_VOID(check_scalar(value));
            return appended(out, detail::append_scalar(out, key, value.scalar()));
        }
        if (path_.depth() > limits::document_depth_max) {
            return too_deep(path_);
        }
        const bool is_list = value.type() == ValueType::list || value.type() == ValueType::set;
        ChildBson child(out, key, is_list ? ChildBson::Kind::array : ChildBson::Kind::document);
        if (!child.is_open()) {
            return appended(out, false);
        }
        return collection(child.get(), value);
    }

    /// REQUIRES: !value.is_scalar()
    Result<void> collection(bson_t* out, const Value& value) {
        if (const List* list = value.get_if<List>()) {
            return elements(out, list->elements);
        }
        if (const Set* set = value.get_if<Set>()) {
            return elements(out, set->elements());
        }
        const Object* object = value.get_if<Object>();
        return fields(out, object != nullptr ? object->fields : *value.get_if<Dictionary>());
    }

    Result<void> check_scalar(const Value& value) const {
        const auto check_text = [this](const std::string& text) -> Result<void> {
            if (!is_utf8(text)) {
                return path_.error(ErrorCode::bad_utf8, "a string is not valid UTF-8");
            }
            return {};
        };
        if (const std::string* text = value.get_if<std::string>()) {
            return check_text(*text);
        }
        if (const Link* link = value.link()) {
            if (std::holds_alternative<GlobalKey>(link->key)) {
                return path_.error(ErrorCode::unsupported,
                                   "a link to an object without primary key has no BSON form");
            }
            if (const std::string* key = std::get_if<std::string>(&link->key)) {
                TOMBOLO_TRY_VOID(check_text(*key));
            }
            return check_text(link->class_name);
        }
        return {};
    }

  private:
    Result<void> appended(const bson_t* out, bool done) const {
        if (!done || out->len > limits::document_bytes_max) {
            return path_.error(ErrorCode::limit_exceeded,
                               fmt::format("the document would take more than {} bytes",
                                           limits::document_bytes_max));
        }
        return {};
    }

    FieldPath path_;
};

} // namespace

Result<Value> bson_to_value(ByteView document) {
    bson_t bson;
    TOMBOLO_TRY_VOID(detail::open_bson(document, bson));
    return Decoder().document(bson);
}

Result<Value> bson_array_to_value(ByteView array) {
    bson_t bson;
    TOMBOLO_TRY_VOID(detail::open_bson(array, bson));
    return Decoder().array(bson);
}

Result<Value> unwrap_from_bson(ByteView document) {
    bson_t bson;
    TOMBOLO_TRY_VOID(detail::open_bson(document, bson));
    return Decoder().only_field(bson);
}

Result<BsonBuffer> value_to_bson(const Value& value) {
    if (const Link* link = value.link()) {
        TOMBOLO_TRY_VOID(Encoder().check_scalar(value));
        detail::OwnedBson out;
        detail::append_scalar(out.get(), "$ref", std::string_view(link->class_name));
        std::visit(
            [&](const auto& key) {
                if constexpr (!std::is_same_v<std::decay_t<decltype(key)>, GlobalKey>) {
                    detail::append_scalar(out.get(), "$id", key);
                }
            },
            to_view(link->key));
        return out.copy();
    }
    if (value.is_scalar()) {
        return Error(ErrorCode::type_mismatch,
                     fmt::format("a document is made of a dictionary, object or list, not of {}",
                                 type_name(value.type())));
    }
    detail::OwnedBson out;
    TOMBOLO_TRY_VOID(Encoder().collection(out.get(), value));
    return out.copy();
}

Result<BsonBuffer> wrap_in_bson(const Value& value) {
    detail::OwnedBson out;
    TOMBOLO_TRY_VOID(Encoder().element(out.get(), "", value));
    return out.copy();
}

} // namespace tombolo
