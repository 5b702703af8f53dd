#include "server/store/value_key.hpp"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/check.hpp"
#include "core/value.hpp"
#include "server/store/store.hpp"

namespace tombolo::store {

namespace {

using mql::BsonType;
using mql::BsonView;

// Ranks leave gaps; 0x00 ends objects and arrays and must stay below all of them.
enum class Rank : unsigned char {
    min_key = 0x05,
    null = 0x0a,
    number = 0x14,
    string = 0x1e,
    object = 0x28,
    array = 0x32,
    binary = 0x3c,
    object_id = 0x46,
    boolean = 0x50,
    date = 0x5a,
    timestamp = 0x64,
    regex = 0x6e,
    db_pointer = 0x78,
    code = 0x82,
    code_with_scope = 0x8c,
    max_key = 0xfa,
};

Rank rank_of(BsonType type) {
    switch (type) {
    case BsonType::min_key:
        return Rank::min_key;
    case BsonType::missing:
    case BsonType::undefined:
    case BsonType::null:
        return Rank::null;
    case BsonType::float64:
    case BsonType::int32:
    case BsonType::int64:
    case BsonType::decimal128:
        return Rank::number;
    case BsonType::string:
    case BsonType::symbol:
        return Rank::string;
    case BsonType::document:
        return Rank::object;
    case BsonType::array:
        return Rank::array;
    case BsonType::binary:
        return Rank::binary;
    case BsonType::object_id:
        return Rank::object_id;
    case BsonType::boolean:
        return Rank::boolean;
    case BsonType::date:
        return Rank::date;
    case BsonType::timestamp:
        return Rank::timestamp;
    case BsonType::regex:
        return Rank::regex;
    case BsonType::db_pointer:
        return Rank::db_pointer;
    case BsonType::code:
        return Rank::code;
    case BsonType::code_with_scope:
        return Rank::code_with_scope;
    case BsonType::max_key:
        return Rank::max_key;
    }
    return Rank::null;
}

void append_byte(std::string& out, unsigned value) {
    out.push_back(static_cast<char>(value));
}

void append_big_endian(std::string& out, std::uint64_t value, int bytes = 8) {
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
        append_byte(out, static_cast<unsigned>((value >> shift) & 0xff));
    }
}

void append_string(std::string& out, std::string_view text) {
    std::size_t from = 0;
    for (;;) {
        const std::size_t nul = text.find('\0', from);
        if (nul == std::string_view::npos) {
            out.append(text.substr(from));
            break;
        }
        out.append(text.substr(from, nul + 1 - from));
        append_byte(out, 0xff);
        from = nul + 1;
    }
    append_byte(out, 0x00);
    append_byte(out, 0x01);
}

// The bits of a double so that unsigned order is numeric order; NaN is below everything, -0 is 0.
std::uint64_t ordered_bits(double value) {
    if (std::isnan(value)) {
        return 0;
    }
    if (value == 0) {
        value = 0;
    }
    const auto bits = std::bit_cast<std::uint64_t>(value);
    constexpr std::uint64_t sign = std::uint64_t{1} << 63;
    return (bits & sign) != 0 ? ~bits : bits | sign;
}

// Digits of a decimal as bytes so that numerically greater values of one sign sort after (or, for
// negative values, all bytes are complemented): exponent of the leading digit (2 bytes, biased),
// digits (value + 1 each, so that a shorter coefficient sorts before one that goes on), end 0x00.
void append_decimal_digits(std::string& out, const Decimal128& value) {
    std::string text = value.to_string();
    const bool negative = text.front() == '-';
    std::string digits;
    int exponent = 0;
    bool seen_point = false;
    std::size_t at = negative ? 1 : 0;
    for (; at < text.size() && text[at] != 'E'; ++at) {
        if (text[at] == '.') {
            seen_point = true;
            continue;
        }
        digits.push_back(text[at]);
        exponent -= seen_point ? 1 : 0;
    }
    if (at < text.size()) {
        exponent += std::stoi(text.substr(at + 1));
    }
    const std::size_t first = digits.find_first_not_of('0');
    const std::size_t last = digits.find_last_not_of('0');
    TOMBOLO_CHECK(first != std::string::npos); // zero is a double and has no tail
    const int leading = exponent + static_cast<int>(digits.size() - first) - 1;

    std::string tail;
    append_big_endian(tail, static_cast<std::uint64_t>(std::int64_t{leading} + 0x4000), 2);
    for (std::size_t i = first; i <= last; ++i) {
        append_byte(tail, static_cast<unsigned>(digits[i] - '0' + 1));
    }
    append_byte(tail, 0x00);
    append_byte(out, negative ? 0x00 : 0x01);
    for (char& byte : tail) {
        out.push_back(negative ? static_cast<char>(~byte) : byte);
    }
}

void append_with_floor(std::string& out, double floor, const Decimal128* exact) {
    append_big_endian(out, ordered_bits(floor));
    append_byte(out, exact != nullptr ? 0x01 : 0x00);
    if (exact != nullptr) {
        append_decimal_digits(out, *exact);
    }
}

void append_decimal(std::string& out, const Decimal128& value) {
    if (value.is_nan()) {
        append_with_floor(out, std::numeric_limits<double>::quiet_NaN(), nullptr);
        return;
    }
    double floor = value.to_double();
    if (!value.is_infinite() && std::isinf(floor)) {
        // Beyond the doubles: between the greatest finite one and infinity.
        floor = floor > 0 ? std::numeric_limits<double>::max() : floor;
    }
    const int order = compare(ScalarView(floor), ScalarView(value));
    if (order > 0) {
        floor = std::nextafter(floor, -std::numeric_limits<double>::infinity());
    }
    append_with_floor(out, floor, order == 0 ? nullptr : &value);
}

void append_int64(std::string& out, std::int64_t value) {
    auto floor = static_cast<double>(value);
    // 2^63 rounds up out of range; everything below 2^53 is exact.
    const bool above = floor >= 9223372036854775808.0 || static_cast<std::int64_t>(floor) > value;
    if (above) {
        floor = std::nextafter(floor, -std::numeric_limits<double>::infinity());
    }
    if (static_cast<std::int64_t>(floor) == value) {
        append_with_floor(out, floor, nullptr);
    } else {
        const Decimal128 exact = Decimal128::from_int64(value);
        append_with_floor(out, floor, &exact);
    }
}

void append_document(std::string& out, mql::BsonDocumentView document, bool is_array) {
    for (const mql::BsonElement& element : document) {
        if (!is_array) {
            append_byte(out, static_cast<unsigned>(rank_of(element.value.type())));
            append_string(out, element.key);
        }
        append_value_key(out, element.value);
    }
    append_byte(out, 0x00);
}

void append_bytes(std::string& out, ByteView bytes) {
    out.append(as_text(bytes));
}

} // namespace

void append_value_key(std::string& out, BsonView value) {
    append_byte(out, static_cast<unsigned>(rank_of(value.type())));
    switch (value.type()) {
    case BsonType::float64:
        append_with_floor(out, value.as_double(), nullptr);
        break;
    case BsonType::int32:
        append_with_floor(out, value.as_int32(), nullptr);
        break;
    case BsonType::int64:
        append_int64(out, value.as_int64());
        break;
    case BsonType::decimal128:
        append_decimal(out, value.as_decimal());
        break;
    case BsonType::string:
    case BsonType::symbol:
    case BsonType::code:
        append_string(out, value.as_string());
        break;
    case BsonType::document:
        append_document(out, value.as_document(), false);
        break;
    case BsonType::array:
        append_document(out, value.as_document(), true);
        break;
    case BsonType::binary: {
        const mql::BsonBinaryView binary = value.as_binary();
        append_big_endian(out, binary.bytes.size(), 4);
        append_byte(out, binary.subtype);
        append_bytes(out, binary.bytes);
        break;
    }
    case BsonType::object_id:
        append_bytes(out, value.bytes());
        break;
    case BsonType::boolean:
        append_byte(out, value.as_bool() ? 1 : 0);
        break;
    case BsonType::date:
        append_big_endian(out, static_cast<std::uint64_t>(value.as_date_ms()) ^
                                   (std::uint64_t{1} << 63));
        break;
    case BsonType::timestamp:
        append_big_endian(out, value.as_timestamp());
        break;
    case BsonType::regex:
        append_string(out, value.as_regex().pattern);
        append_string(out, value.as_regex().options);
        break;
    case BsonType::db_pointer:
        append_big_endian(out, value.bytes().size(), 4);
        append_bytes(out, value.bytes());
        break;
    case BsonType::code_with_scope:
        append_string(out, value.as_string());
        append_document(out, value.as_document(), false);
        break;
    case BsonType::missing:
    case BsonType::undefined:
    case BsonType::null:
    case BsonType::min_key:
    case BsonType::max_key:
        break;
    }
}

Result<std::string> document_key(BsonView id) {
    switch (id.type()) {
    case BsonType::missing:
        return Error(ErrorCode::invalid_argument, "a document needs an _id");
    case BsonType::array:
    case BsonType::undefined:
    case BsonType::regex:
        return Error(ErrorCode::invalid_argument, "the _id of a document cannot be of type " +
                                                      std::string(mql::type_alias(id.type())));
    default:
        break;
    }
    std::string key;
    append_value_key(key, id);
    if (key.size() > limits::document_key_bytes_max) {
        return Error(ErrorCode::limit_exceeded, "the _id of a document is longer than " +
                                                    std::to_string(limits::document_key_bytes_max) +
                                                    " bytes");
    }
    return key;
}

namespace {

std::size_t string_size(std::string_view key) noexcept {
    for (std::size_t i = 0; i + 1 < key.size(); ++i) {
        if (key[i] == '\0') {
            if (key[i + 1] == '\x01') {
                return i + 2;
            }
            ++i;
        }
    }
    return 0;
}

std::size_t number_size(std::string_view key) noexcept {
    if (key.size() < 9) {
        return 0;
    }
    if (key[8] == '\0') {
        return 9;
    }
    if (key.size() < 12) {
        return 0;
    }
    // Sign, 2 bytes exponent, digits of 1..10 (complemented when negative), end.
    const char end = key[9] == '\0' ? '\xff' : '\0';
    for (std::size_t i = 12; i < key.size(); ++i) {
        if (key[i] == end) {
            return i + 1;
        }
    }
    return 0;
}

std::size_t counted_size(std::string_view key, std::size_t extra) noexcept {
    if (key.size() < 4) {
        return 0;
    }
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        length = (length << 8) | static_cast<unsigned char>(key[i]);
    }
    return 4 + extra + length <= key.size() ? 4 + extra + length : 0;
}

std::size_t fixed(std::string_view key, std::size_t size) noexcept {
    return key.size() >= size ? size : 0;
}

std::size_t sized(std::string_view key, int depth) noexcept;

// Elements until 0x00; `named` ones carry a rank byte and a name in front.
std::size_t container_size(std::string_view key, bool named, int depth) noexcept {
    std::size_t at = 0;
    while (at < key.size() && key[at] != '\0') {
        if (named) {
            const std::size_t name = string_size(key.substr(at + 1));
            if (name == 0) {
                return 0;
            }
            at += 1 + name;
        }
        const std::size_t value = sized(key.substr(at), depth + 1);
        if (value == 0) {
            return 0;
        }
        at += value;
    }
    return at < key.size() ? at + 1 : 0;
}

// The size of what follows the rank byte; npos when malformed.
std::size_t body_size(Rank rank, std::string_view body, int depth) noexcept {
    constexpr std::size_t bad = std::string_view::npos;
    const auto checked = [](std::size_t size) { return size == 0 ? bad : size; };
    switch (rank) {
    case Rank::min_key:
    case Rank::null:
    case Rank::max_key:
        return 0;
    case Rank::number:
        return checked(number_size(body));
    case Rank::string:
    case Rank::code:
        return checked(string_size(body));
    case Rank::object:
        return checked(container_size(body, true, depth));
    case Rank::array:
        return checked(container_size(body, false, depth));
    case Rank::binary:
        return checked(counted_size(body, 1));
    case Rank::db_pointer:
        return checked(counted_size(body, 0));
    case Rank::object_id:
        return checked(fixed(body, 12));
    case Rank::boolean:
        return checked(fixed(body, 1));
    case Rank::date:
    case Rank::timestamp:
        return checked(fixed(body, 8));
    case Rank::regex: {
        const std::size_t pattern = string_size(body);
        const std::size_t options = pattern == 0 ? 0 : string_size(body.substr(pattern));
        return options == 0 ? bad : pattern + options;
    }
    case Rank::code_with_scope: {
        const std::size_t code = string_size(body);
        const std::size_t scope = code == 0 ? 0 : container_size(body.substr(code), true, depth);
        return scope == 0 ? bad : code + scope;
    }
    }
    return bad;
}

std::size_t sized(std::string_view key, int depth) noexcept {
    if (key.empty() || depth > static_cast<int>(limits::document_depth_max) + 1) {
        return 0;
    }
    const std::size_t body =
        body_size(static_cast<Rank>(static_cast<unsigned char>(key[0])), key.substr(1), depth);
    return body == std::string_view::npos ? 0 : 1 + body;
}

} // namespace

std::size_t value_key_size(std::string_view key) noexcept {
    return sized(key, 0);
}

} // namespace tombolo::store
