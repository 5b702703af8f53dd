// Extended JSON text to BSON: one pass, straight into the document.

#include <array>
#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "core/bson_support.hpp"
#include "core/ejson.hpp"
#include "core/json_reader.hpp"
#include "core/limits.hpp"

namespace tombolo {

namespace {

using detail::ChildBson;

class EjsonReader {
  public:
    explicit EjsonReader(std::string_view text) noexcept : json_(text) {}

    Result<void> document(bson_t* out) {
        TOMBOLO_TRY_VOID(json_.expect('{'));
        TOMBOLO_TRY_VOID(fields(out));
        return json_.expect_end();
    }

    Result<void> array(bson_t* out) {
        TOMBOLO_TRY_VOID(json_.expect('['));
        TOMBOLO_TRY_VOID(elements(out));
        return json_.expect_end();
    }

    Result<void> any(bson_t* out) {
        depth_ = 0;
        TOMBOLO_TRY_VOID(value(out, ""));
        return json_.expect_end();
    }

  private:
    using Handler = Result<void> (EjsonReader::*)(bson_t* out, std::string_view key);

    struct TypeKey {
        std::string_view name;
        Handler handler;
    };
    static const std::array<TypeKey, 16> type_keys;

    Error wrong(std::string_view form) const {
        return json_.error(ErrorCode::bad_ejson, fmt::format("expected {}", form));
    }

    Result<void> appended(const bson_t* out, bool done) const {
        if (!done || out->len > limits::document_bytes_max) {
            return json_.error(ErrorCode::limit_exceeded,
                               fmt::format("the document would take more than {} bytes as BSON",
                                           limits::document_bytes_max));
        }
        return {};
    }

    /// After '{' of an ordinary object, to its '}'.
    Result<void> fields(bson_t* out) {
        if (json_.take('}')) {
            return {};
        }
        do {
            json_.peek();
            const std::size_t begin = json_.offset();
            TOMBOLO_TRY(const std::string key, json_.read_string());
            if (key.find('\0') != std::string::npos) {
                return json_.error_at(ErrorCode::bad_ejson, "a key must not contain NUL", begin);
            }
            TOMBOLO_TRY_VOID(json_.expect(':'));
            TOMBOLO_TRY_VOID(value(out, key));
        } while (json_.take(','));
        return json_.expect('}');
    }

    /// After '[', to its ']'.
    Result<void> elements(bson_t* out) {
        if (json_.take(']')) {
            return {};
        }
        std::size_t index = 0;
        do {
            TOMBOLO_TRY_VOID(value(out, detail::IndexKey(index++).text()));
        } while (json_.take(','));
        return json_.expect(']');
    }

    Result<void> value(bson_t* out, std::string_view key) {
        switch (json_.peek()) {
        case '{':
            json_.take('{');
            return object(out, key);
        case '[':
            json_.take('[');
            return nested(out, key, ChildBson::Kind::array);
        case '"': {
            TOMBOLO_TRY(const std::string text, json_.read_string());
            return scalar(out, key, std::string_view(text));
        }
        case 't':
        case 'f':
        case 'n':
        case '\0': {
            TOMBOLO_TRY(const auto word, json_.read_word());
            const bool* truth = std::get_if<bool>(&word);
            return scalar(out, key, truth != nullptr ? ScalarView(*truth) : ScalarView());
        }
        default:
            return number(out, key);
        }
    }

    Result<void> scalar(bson_t* out, std::string_view key, const ScalarView& scalar) const {
        return appended(out, detail::append_scalar(out, key, scalar));
    }

    Result<void> number(bson_t* out, std::string_view key) {
        TOMBOLO_TRY(const auto number, json_.read_number());
        if (const double* real = std::get_if<double>(&number)) {
            return scalar(out, key, *real);
        }
        const std::int64_t whole = *std::get_if<std::int64_t>(&number);
        if (whole < std::numeric_limits<std::int32_t>::min() ||
            whole > std::numeric_limits<std::int32_t>::max()) {
            return scalar(out, key, whole);
        }
        return appended(out, bson_append_int32(out, key.data(), detail::length_of(key),
                                               static_cast<std::int32_t>(whole)));
    }

    /// After '{': the form of a type, or an ordinary object.
    Result<void> object(bson_t* out, std::string_view key) {
        if (json_.peek() == '"') {
            const std::size_t begin = json_.offset();
            TOMBOLO_TRY(const std::string first, json_.read_string());
            if (!first.empty() && first[0] == '$') {
                for (const TypeKey& type_key : type_keys) {
                    if (type_key.name == first) {
                        TOMBOLO_TRY_VOID(json_.expect(':'));
                        TOMBOLO_TRY_VOID((this->*type_key.handler)(out, key));
                        return close_form(first);
                    }
                }
            }
            json_.seek(begin);
        }
        return nested(out, key, ChildBson::Kind::document);
    }

    Result<void> close_form(std::string_view name) {
        if (!json_.take('}')) {
            return wrong(fmt::format("'}}' after the value of \"{}\"", name));
        }
        return {};
    }

    Result<void> nested(bson_t* out, std::string_view key, ChildBson::Kind kind) {
        if (depth_ >= limits::document_depth_max) {
            return json_.error(ErrorCode::limit_exceeded,
                               fmt::format("objects and arrays are nested more than {} levels deep",
                                           limits::document_depth_max));
        }
        ChildBson child(out, key, kind);
        if (!child.is_open()) {
            return appended(out, false);
        }
        ++depth_;
        TOMBOLO_TRY_VOID(kind == ChildBson::Kind::document ? fields(child.get())
                                                           : elements(child.get()));
        --depth_;
        return appended(child.get(), true);
    }

    // The values of type keys. Each reads the value after the colon; object() takes the closing
    // brace.

    Result<std::string> form_text(std::string_view form) {
        if (json_.peek() != '"') {
            return wrong(form);
        }
        return json_.read_string();
    }

    /// A member of a form's inner object: its key must be the expected one.
    Result<void> member(std::string_view name) {
        const std::size_t begin = json_.offset();
        if (json_.peek() == '"') {
            TOMBOLO_TRY(const std::string key, json_.read_string());
            if (key == name) {
                return json_.expect(':');
            }
        }
        json_.seek(begin);
        json_.peek();
        return wrong(fmt::format("\"{}\"", name));
    }

    template <class Integer>
    Result<Integer> integer_text(std::string_view form) {
        json_.peek();
        const std::size_t begin = json_.offset();
        TOMBOLO_TRY(const std::string text, form_text(form));
        Integer value = 0;
        const char* end = text.data() + text.size();
        const auto result = std::from_chars(text.data(), end, value);
        if (result.ec != std::errc() || result.ptr != end) {
            return json_.error_at(ErrorCode::bad_ejson, fmt::format("expected {}", form), begin);
        }
        return value;
    }

    Result<std::uint32_t> unsigned_number(std::string_view form) {
        json_.peek();
        const std::size_t begin = json_.offset();
        std::int64_t whole = -1;
        if (json_.take('{')) {
            // realm-web writes its canonical form twice over: {"$minKey":{"$numberInt":"1"}}.
            TOMBOLO_TRY(const std::string type, json_.read_string());
            if (type != "$numberInt" && type != "$numberLong") {
                return json_.error_at(ErrorCode::bad_ejson, fmt::format("expected {}", form),
                                      begin);
            }
            TOMBOLO_TRY_VOID(json_.expect(':'));
            TOMBOLO_TRY(whole, integer_text<std::int64_t>(form));
            TOMBOLO_TRY_VOID(close_form(type));
        } else {
            TOMBOLO_TRY(const auto number, json_.read_number());
            const auto* integer = std::get_if<std::int64_t>(&number);
            whole = integer != nullptr ? *integer : -1;
        }
        if (whole < 0 || whole > std::numeric_limits<std::uint32_t>::max()) {
            return json_.error_at(ErrorCode::bad_ejson, fmt::format("expected {}", form), begin);
        }
        return static_cast<std::uint32_t>(whole);
    }

    /// Reads a string and turns it into a scalar by T::parse.
    template <class T>
    Result<void> parsed(bson_t* out, std::string_view key, std::string_view form) {
        json_.peek();
        const std::size_t begin = json_.offset();
        TOMBOLO_TRY(const std::string text, form_text(form));
        const auto parsed = T::parse(text);
        if (!parsed) {
            return json_.error_at(ErrorCode::bad_ejson, fmt::format("expected {}", form), begin);
        }
        return scalar(out, key, *parsed);
    }

    Result<void> oid(bson_t* out, std::string_view key) {
        return parsed<ObjectId>(out, key, "24 hex digits as the value of \"$oid\"");
    }
    Result<void> uuid(bson_t* out, std::string_view key) {
        return parsed<Uuid>(out, key, "8-4-4-4-12 hex digits as the value of \"$uuid\"");
    }
    Result<void> number_decimal(bson_t* out, std::string_view key) {
        return parsed<Decimal128>(out, key,
                                  "a decimal in quotes as the value of \"$numberDecimal\"");
    }
    Result<void> number_long(bson_t* out, std::string_view key) {
        TOMBOLO_TRY(const auto value,
                    integer_text<std::int64_t>(
                        "a 64-bit integer in quotes as the value of \"$numberLong\""));
        return scalar(out, key, value);
    }
    Result<void> number_int(bson_t* out, std::string_view key) {
        TOMBOLO_TRY(const auto value,
                    integer_text<std::int32_t>(
                        "a 32-bit integer in quotes as the value of \"$numberInt\""));
        return appended(out, bson_append_int32(out, key.data(), detail::length_of(key), value));
    }

    Result<void> number_double(bson_t* out, std::string_view key) {
        constexpr std::string_view form = "a number, \"NaN\", \"Infinity\" or \"-Infinity\" in "
                                          "quotes as the value of \"$numberDouble\"";
        json_.peek();
        const std::size_t begin = json_.offset();
        TOMBOLO_TRY(const std::string text, form_text(form));
        constexpr double infinity = std::numeric_limits<double>::infinity();
        if (text == "NaN") {
            return scalar(out, key, std::numeric_limits<double>::quiet_NaN());
        }
        if (text == "Infinity" || text == "-Infinity") {
            return scalar(out, key, text[0] == '-' ? -infinity : infinity);
        }
        JsonReader inner(text);
        const auto number = inner.read_number();
        // The reader skips leading white space, a number's text has none.
        const bool leading_space = !text.empty() && static_cast<unsigned char>(text[0]) <= ' ';
        if (!number || leading_space || inner.offset() != text.size()) {
            return json_.error_at(ErrorCode::bad_ejson, fmt::format("expected {}", form), begin);
        }
        const auto* whole = std::get_if<std::int64_t>(&*number);
        return scalar(out, key,
                      whole != nullptr ? static_cast<double>(*whole)
                                       : *std::get_if<double>(&*number));
    }

    Result<void> date(bson_t* out, std::string_view key) {
        const char next = json_.peek();
        const std::size_t begin = json_.offset();
        std::int64_t ms = 0;
        if (next == '"') {
            TOMBOLO_TRY(const std::string text, json_.read_string());
            const auto time = Timestamp::parse_iso_8601(text);
            if (!time) {
                return json_.error_at(
                    ErrorCode::bad_ejson,
                    "expected a time like \"2024-05-01T12:30:00.000Z\" as the value of \"$date\"",
                    begin);
            }
            ms = time->to_unix_ms();
        } else if (json_.take('{')) {
            TOMBOLO_TRY_VOID(member("$numberLong"));
            TOMBOLO_TRY(ms, integer_text<std::int64_t>("milliseconds in quotes in \"$date\""));
            TOMBOLO_TRY_VOID(close_form("$numberLong"));
        } else {
            TOMBOLO_TRY(const auto number, json_.read_number());
            const auto* whole = std::get_if<std::int64_t>(&number);
            if (whole == nullptr) {
                return json_.error_at(ErrorCode::bad_ejson,
                                      "expected milliseconds as the value of \"$date\"", begin);
            }
            ms = *whole;
        }
        return appended(out, bson_append_date_time(out, key.data(), detail::length_of(key), ms));
    }

    Result<std::uint8_t> subtype() {
        constexpr std::string_view form = "one or two hex digits in quotes as the binary's subtype";
        json_.peek();
        const std::size_t begin = json_.offset();
        TOMBOLO_TRY(const std::string text, form_text(form));
        std::uint8_t value = 0;
        const char* end = text.data() + text.size();
        if (text.size() > 2 || text.empty() ||
            std::from_chars(text.data(), end, value, 16).ptr != end) {
            return json_.error_at(ErrorCode::bad_ejson, fmt::format("expected {}", form), begin);
        }
        return value;
    }

    Result<std::vector<std::byte>> base64() {
        constexpr std::string_view form = "base64 in quotes in \"$binary\"";
        json_.peek();
        const std::size_t begin = json_.offset();
        TOMBOLO_TRY(const std::string text, form_text(form));
        auto bytes = from_base64(text);
        if (!bytes) {
            return json_.error_at(ErrorCode::bad_ejson, fmt::format("expected {}", form), begin);
        }
        return bytes;
    }

    /// {"base64": ..., "subType": ...} in either order, or version 1: "...", "$type": "00".
    Result<void> binary(bson_t* out, std::string_view key) {
        std::vector<std::byte> bytes;
        std::uint8_t kind = 0;
        if (json_.peek() == '"') {
            TOMBOLO_TRY(bytes, base64());
            if (!json_.take(',')) {
                return wrong("\"$type\" after \"$binary\"");
            }
            TOMBOLO_TRY_VOID(member("$type"));
            TOMBOLO_TRY(kind, subtype());
        } else {
            if (!json_.take('{')) {
                return wrong("{\"base64\": ..., \"subType\": ...} as the value of \"$binary\"");
            }
            json_.peek();
            const std::size_t begin = json_.offset();
            TOMBOLO_TRY(const std::string first, form_text("\"base64\""));
            json_.seek(begin);
            const bool base64_first = first != "subType";
            if (base64_first) {
                TOMBOLO_TRY_VOID(member("base64"));
                TOMBOLO_TRY(bytes, base64());
                TOMBOLO_TRY_VOID(json_.expect(','));
            }
            TOMBOLO_TRY_VOID(member("subType"));
            TOMBOLO_TRY(kind, subtype());
            if (!base64_first) {
                TOMBOLO_TRY_VOID(json_.expect(','));
                TOMBOLO_TRY_VOID(member("base64"));
                TOMBOLO_TRY(bytes, base64());
            }
            TOMBOLO_TRY_VOID(close_form("$binary"));
        }
        static constexpr std::uint8_t none = 0; // libbson wants a pointer for no bytes too
        const auto* data =
            bytes.empty() ? &none : reinterpret_cast<const std::uint8_t*>(bytes.data());
        return appended(out, bson_append_binary(out, key.data(), detail::length_of(key),
                                                static_cast<bson_subtype_t>(kind), data,
                                                static_cast<std::uint32_t>(bytes.size())));
    }

    /// A string that BSON stores with a NUL at its end and without a length.
    Result<std::string> c_text(std::string_view form) {
        json_.peek();
        const std::size_t begin = json_.offset();
        TOMBOLO_TRY(std::string text, form_text(form));
        if (text.find('\0') != std::string::npos) {
            return json_.error_at(ErrorCode::bad_ejson, "NUL is not allowed here", begin);
        }
        return text;
    }

    Result<void> regular_expression(bson_t* out, std::string_view key) {
        if (!json_.take('{')) {
            return wrong(
                "{\"pattern\": ..., \"options\": ...} as the value of \"$regularExpression\"");
        }
        TOMBOLO_TRY_VOID(member("pattern"));
        TOMBOLO_TRY(const std::string pattern, c_text("a pattern in quotes"));
        TOMBOLO_TRY_VOID(json_.expect(','));
        TOMBOLO_TRY_VOID(member("options"));
        TOMBOLO_TRY(const std::string options, c_text("options in quotes"));
        TOMBOLO_TRY_VOID(close_form("$regularExpression"));
        return appended(out, bson_append_regex_w_len(out, key.data(), detail::length_of(key),
                                                     pattern.c_str(), detail::length_of(pattern),
                                                     options.c_str()));
    }

    Result<void> timestamp(bson_t* out, std::string_view key) {
        if (!json_.take('{')) {
            return wrong("{\"t\": ..., \"i\": ...} as the value of \"$timestamp\"");
        }
        TOMBOLO_TRY_VOID(member("t"));
        TOMBOLO_TRY(const auto seconds, unsigned_number("seconds as an unsigned 32-bit number"));
        TOMBOLO_TRY_VOID(json_.expect(','));
        TOMBOLO_TRY_VOID(member("i"));
        TOMBOLO_TRY(const auto increment, unsigned_number("an unsigned 32-bit number"));
        TOMBOLO_TRY_VOID(close_form("$timestamp"));
        return appended(out, bson_append_timestamp(out, key.data(), detail::length_of(key), seconds,
                                                   increment));
    }

    Result<void> symbol(bson_t* out, std::string_view key) {
        TOMBOLO_TRY(const std::string text, form_text("a string as the value of \"$symbol\""));
        return appended(out, bson_append_symbol(out, key.data(), detail::length_of(key),
                                                text.c_str(), detail::length_of(text)));
    }

    Result<void> code(bson_t* out, std::string_view key) {
        TOMBOLO_TRY(const std::string text, c_text("a string as the value of \"$code\""));
        if (!json_.take(',')) {
            return appended(
                out, bson_append_code(out, key.data(), detail::length_of(key), text.c_str()));
        }
        TOMBOLO_TRY_VOID(member("$scope"));
        TOMBOLO_TRY_VOID(json_.expect('{'));
        if (depth_ >= limits::document_depth_max) {
            return json_.error(ErrorCode::limit_exceeded, "objects are nested too deep");
        }
        ++depth_;
        detail::OwnedBson scope;
        TOMBOLO_TRY_VOID(fields(scope.get()));
        --depth_;
        return appended(out, bson_append_code_with_scope(out, key.data(), detail::length_of(key),
                                                         text.c_str(), scope.get()));
    }

    Result<void> db_pointer(bson_t* out, std::string_view key) {
        if (!json_.take('{')) {
            return wrong("{\"$ref\": ..., \"$id\": ...} as the value of \"$dbPointer\"");
        }
        TOMBOLO_TRY_VOID(member("$ref"));
        TOMBOLO_TRY(const std::string collection, c_text("a collection in quotes"));
        TOMBOLO_TRY_VOID(json_.expect(','));
        TOMBOLO_TRY_VOID(member("$id"));
        TOMBOLO_TRY_VOID(json_.expect('{'));
        TOMBOLO_TRY_VOID(member("$oid"));
        TOMBOLO_TRY(const std::string text, form_text("24 hex digits in quotes"));
        const auto id = ObjectId::parse(text);
        if (!id) {
            return wrong("24 hex digits in quotes");
        }
        TOMBOLO_TRY_VOID(close_form("$oid"));
        TOMBOLO_TRY_VOID(close_form("$dbPointer"));
        bson_oid_t oid;
        std::copy_n(reinterpret_cast<const std::uint8_t*>(id->bytes.data()), sizeof oid.bytes,
                    oid.bytes);
        return appended(out, bson_append_dbpointer(out, key.data(), detail::length_of(key),
                                                   collection.c_str(), &oid));
    }

    Result<void> one(std::string_view name) {
        TOMBOLO_TRY(const auto number,
                    unsigned_number(fmt::format("1 as the value of \"{}\"", name)));
        if (number != 1) {
            return wrong(fmt::format("1 as the value of \"{}\"", name));
        }
        return {};
    }
    Result<void> min_key(bson_t* out, std::string_view key) {
        TOMBOLO_TRY_VOID(one("$minKey"));
        return appended(out, bson_append_minkey(out, key.data(), detail::length_of(key)));
    }
    Result<void> max_key(bson_t* out, std::string_view key) {
        TOMBOLO_TRY_VOID(one("$maxKey"));
        return appended(out, bson_append_maxkey(out, key.data(), detail::length_of(key)));
    }
    Result<void> undefined(bson_t* out, std::string_view key) {
        TOMBOLO_TRY(const auto word, json_.read_word());
        if (std::get_if<bool>(&word) == nullptr || !*std::get_if<bool>(&word)) {
            return wrong("true as the value of \"$undefined\"");
        }
        return appended(out, bson_append_undefined(out, key.data(), detail::length_of(key)));
    }

    JsonReader json_;
    std::size_t depth_ = 0; ///< levels below the top
};

const std::array<EjsonReader::TypeKey, 16> EjsonReader::type_keys = {{
    {"$oid", &EjsonReader::oid},
    {"$numberInt", &EjsonReader::number_int},
    {"$numberLong", &EjsonReader::number_long},
    {"$numberDouble", &EjsonReader::number_double},
    {"$numberDecimal", &EjsonReader::number_decimal},
    {"$date", &EjsonReader::date},
    {"$binary", &EjsonReader::binary},
    {"$uuid", &EjsonReader::uuid},
    {"$timestamp", &EjsonReader::timestamp},
    {"$regularExpression", &EjsonReader::regular_expression},
    {"$symbol", &EjsonReader::symbol},
    {"$code", &EjsonReader::code},
    {"$dbPointer", &EjsonReader::db_pointer},
    {"$minKey", &EjsonReader::min_key},
    {"$maxKey", &EjsonReader::max_key},
    {"$undefined", &EjsonReader::undefined},
}};

Result<BsonBuffer> read(std::string_view text, Result<void> (EjsonReader::*part)(bson_t* out)) {
    if (text.size() > limits::ejson_bytes_max) {
        return Error(ErrorCode::limit_exceeded,
                     fmt::format("Extended JSON of {} bytes; at most {} are allowed", text.size(),
                                 limits::ejson_bytes_max));
    }
    detail::OwnedBson out;
    EjsonReader reader(text);
    TOMBOLO_TRY_VOID((reader.*part)(out.get()));
    return out.copy();
}

} // namespace

Result<BsonBuffer> ejson_to_bson(std::string_view text) {
    return read(text, &EjsonReader::document);
}

Result<BsonBuffer> ejson_array_to_bson(std::string_view text) {
    return read(text, &EjsonReader::array);
}

Result<BsonBuffer> ejson_to_wrapped_bson(std::string_view text) {
    return read(text, &EjsonReader::any);
}

Result<Value> ejson_to_value(std::string_view text) {
    TOMBOLO_TRY(const BsonBuffer wrapped, ejson_to_wrapped_bson(text));
    return unwrap_from_bson(wrapped);
}

} // namespace tombolo
