// BSON to Extended JSON text.

#include <cstring>

#include <fmt/format.h>

#include "core/bson_support.hpp"
#include "core/ejson.hpp"
#include "core/limits.hpp"
#include "core/text.hpp"

namespace tombolo {

namespace {

using detail::FieldPath;

class EjsonWriter {
  public:
    explicit EjsonWriter(EjsonForm form) noexcept : relaxed_(form == EjsonForm::relaxed) {}

    Result<std::string> document(const bson_t& bson) {
        TOMBOLO_TRY_VOID(container(bson, '{', '}'));
        return std::move(out_);
    }

    Result<std::string> array(const bson_t& bson) {
        TOMBOLO_TRY_VOID(container(bson, '[', ']'));
        return std::move(out_);
    }

    Result<std::string> only_value(const bson_t& bson) {
        bson_iter_t elements;
        if (!bson_iter_init(&elements, &bson) || !bson_iter_next(&elements)) {
            return Error(ErrorCode::bad_bson, "expected a document with one field");
        }
        {
            const FieldPath::Scope scope(path_, detail::key_of(elements));
            TOMBOLO_TRY_VOID(value(elements));
        }
        if (bson_iter_next(&elements) || detail::is_damaged(elements)) {
            return Error(ErrorCode::bad_bson, "expected a document with one field");
        }
        return std::move(out_);
    }

  private:
    Error damaged() const {
        return path_.error(ErrorCode::bad_bson, "the bytes are no BSON document: a value or key is "
                                                "damaged or reaches beyond its document");
    }

    Result<void> container(const bson_t& bson, char open, char close) {
        bson_iter_t elements;
        if (!bson_iter_init(&elements, &bson)) {
            return damaged();
        }
        return members(elements, open, close);
    }

    Result<void> members(bson_iter_t& elements, char open, char close) {
        out_ += open;
        std::size_t index = 0;
        while (bson_iter_next(&elements)) {
            if (index > 0) {
                out_ += ',';
            }
            if (open == '{') {
                const FieldPath::Scope scope(path_, detail::key_of(elements));
                TOMBOLO_TRY_VOID(text(detail::key_of(elements)));
                out_ += ':';
                TOMBOLO_TRY_VOID(value(elements));
            } else {
                const FieldPath::Scope scope(path_, index);
                TOMBOLO_TRY_VOID(value(elements));
            }
            ++index;
        }
        if (detail::is_damaged(elements)) {
            return damaged();
        }
        out_ += close;
        return {};
    }

    Result<void> text(std::string_view text) {
        if (!is_utf8(text)) {
            return path_.error(ErrorCode::bad_utf8, "a key or string is not valid UTF-8");
        }
        append_quoted(out_, text);
        return {};
    }

    /// {"<key>":"<value>"}; neither needs escapes.
    void wrap(std::string_view key, std::string_view value) {
        fmt::format_to(std::back_inserter(out_), R"({{"{}":"{}"}})", key, value);
    }

    void date(std::int64_t ms) {
        constexpr std::int64_t end_of_year_9999_ms = 253'402'300'800'000;
        if (relaxed_ && ms >= 0 && ms < end_of_year_9999_ms) {
            wrap("$date", Timestamp::from_unix_ms(ms).to_string());
        } else {
            fmt::format_to(std::back_inserter(out_), R"({{"$date":{{"$numberLong":"{}"}}}})", ms);
        }
    }

    void real(double number) {
        const std::string digits = number_text(number);
        const bool finite = digits.find_first_of("NI") == std::string::npos;
        if (relaxed_ && finite) {
            out_ += digits;
        } else {
            wrap("$numberDouble", digits);
        }
    }

    void integer(std::string_view key, std::int64_t number) {
        if (relaxed_) {
            out_ += std::to_string(number);
        } else {
            wrap(key, std::to_string(number));
        }
    }

    Result<void> binary(const bson_iter_t& element) {
        bson_subtype_t subtype{};
        std::uint32_t size = 0;
        const std::uint8_t* data = nullptr;
        bson_iter_binary(&element, &subtype, &size, &data);
        const ByteView bytes(reinterpret_cast<const std::byte*>(data), size);
        fmt::format_to(std::back_inserter(out_),
                       R"({{"$binary":{{"base64":"{}","subType":"{:02x}"}}}})", to_base64(bytes),
                       static_cast<unsigned>(subtype));
        return {};
    }

    Result<void> nested(const bson_iter_t& element) {
        if (path_.depth() > limits::document_depth_max) {
            return path_.error(
                ErrorCode::limit_exceeded,
                fmt::format("documents and arrays are nested more than {} levels deep",
                            limits::document_depth_max));
        }
        bson_iter_t elements;
        if (!bson_iter_recurse(&element, &elements)) {
            return damaged();
        }
        return bson_iter_type(&element) == BSON_TYPE_ARRAY ? members(elements, '[', ']')
                                                           : members(elements, '{', '}');
    }

    Result<void> value(const bson_iter_t& element) {
        switch (bson_iter_type(&element)) {
        case BSON_TYPE_NULL:
            out_ += "null";
            return {};
        case BSON_TYPE_BOOL:
            out_ += bson_iter_bool(&element) ? "true" : "false";
            return {};
        case BSON_TYPE_INT32:
            integer("$numberInt", bson_iter_int32(&element));
            return {};
        case BSON_TYPE_INT64:
            integer("$numberLong", bson_iter_int64(&element));
            return {};
        case BSON_TYPE_DOUBLE:
            real(bson_iter_double(&element));
            return {};
        case BSON_TYPE_DECIMAL128: {
            bson_decimal128_t decimal{};
            bson_iter_decimal128(&element, &decimal);
            wrap("$numberDecimal", Decimal128{decimal.high, decimal.low}.to_string());
            return {};
        }
        case BSON_TYPE_UTF8: {
            std::uint32_t size = 0;
            const char* data = bson_iter_utf8(&element, &size);
            return text({data, size});
        }
        case BSON_TYPE_BINARY:
            return binary(element);
        case BSON_TYPE_OID:
            wrap("$oid", detail::object_id_from(*bson_iter_oid(&element)).to_string());
            return {};
        case BSON_TYPE_DATE_TIME:
            date(bson_iter_date_time(&element));
            return {};
        case BSON_TYPE_DOCUMENT:
        case BSON_TYPE_ARRAY:
            return nested(element);
        default:
            return rare_value(element);
        }
    }

    /// The types that no property has.
    Result<void> rare_value(const bson_iter_t& element) {
        switch (bson_iter_type(&element)) {
        case BSON_TYPE_REGEX: {
            const char* options = nullptr;
            const char* pattern = bson_iter_regex(&element, &options);
            out_ += R"({"$regularExpression":{"pattern":)";
            TOMBOLO_TRY_VOID(text(pattern));
            out_ += R"(,"options":)";
            TOMBOLO_TRY_VOID(text(options));
            out_ += "}}";
            return {};
        }
        case BSON_TYPE_TIMESTAMP: {
            std::uint32_t seconds = 0;
            std::uint32_t increment = 0;
            bson_iter_timestamp(&element, &seconds, &increment);
            fmt::format_to(std::back_inserter(out_), R"({{"$timestamp":{{"t":{},"i":{}}}}})",
                           seconds, increment);
            return {};
        }
        case BSON_TYPE_SYMBOL: {
            std::uint32_t size = 0;
            const char* data = bson_iter_symbol(&element, &size);
            return form(R"({"$symbol":)", {data, size}, "}");
        }
        case BSON_TYPE_CODE: {
            std::uint32_t size = 0;
            const char* data = bson_iter_code(&element, &size);
            return form(R"({"$code":)", {data, size}, "}");
        }
        case BSON_TYPE_CODEWSCOPE:
            return code_with_scope(element);
        case BSON_TYPE_DBPOINTER: {
            std::uint32_t size = 0;
            const char* collection = nullptr;
            const bson_oid_t* oid = nullptr;
            bson_iter_dbpointer(&element, &size, &collection, &oid);
            TOMBOLO_TRY_VOID(form(R"({"$dbPointer":{"$ref":)", {collection, size}, R"(,"$id":)"));
            wrap("$oid", detail::object_id_from(*oid).to_string());
            out_ += "}}";
            return {};
        }
        case BSON_TYPE_MINKEY:
            out_ += R"({"$minKey":1})";
            return {};
        case BSON_TYPE_MAXKEY:
            out_ += R"({"$maxKey":1})";
            return {};
        case BSON_TYPE_UNDEFINED:
            out_ += R"({"$undefined":true})";
            return {};
        default:
            return damaged();
        }
    }

    Result<void> form(std::string_view before, std::string_view value, std::string_view after) {
        out_ += before;
        TOMBOLO_TRY_VOID(text(value));
        out_ += after;
        return {};
    }

    Result<void> code_with_scope(const bson_iter_t& element) {
        if (path_.depth() > limits::document_depth_max) {
            return path_.error(ErrorCode::limit_exceeded, "documents are nested too deep");
        }
        std::uint32_t code_size = 0;
        std::uint32_t scope_size = 0;
        const std::uint8_t* scope_bytes = nullptr;
        const char* code = bson_iter_codewscope(&element, &code_size, &scope_size, &scope_bytes);
        bson_t scope;
        if (code == nullptr || !bson_init_static(&scope, scope_bytes, scope_size)) {
            return damaged();
        }
        TOMBOLO_TRY_VOID(form(R"({"$code":)", {code, code_size}, R"(,"$scope":)"));
        TOMBOLO_TRY_VOID(container(scope, '{', '}'));
        out_ += '}';
        return {};
    }

    bool relaxed_;
    std::string out_;
    FieldPath path_;
};

} // namespace

Result<std::string> bson_to_ejson(ByteView document, EjsonForm form) {
    bson_t bson;
    TOMBOLO_TRY_VOID(detail::open_bson(document, bson));
    return EjsonWriter(form).document(bson);
}

Result<std::string> bson_array_to_ejson(ByteView array, EjsonForm form) {
    bson_t bson;
    TOMBOLO_TRY_VOID(detail::open_bson(array, bson));
    return EjsonWriter(form).array(bson);
}

Result<std::string> wrapped_bson_to_ejson(ByteView document, EjsonForm form) {
    bson_t bson;
    TOMBOLO_TRY_VOID(detail::open_bson(document, bson));
    return EjsonWriter(form).only_value(bson);
}

Result<std::string> value_to_ejson(const Value& value, EjsonForm form) {
    TOMBOLO_TRY(const BsonBuffer wrapped, wrap_in_bson(value));
    return wrapped_bson_to_ejson(wrapped, form);
}

} // namespace tombolo
