// BsonDocumentView::validate: the one place that does not trust lengths.

#include <algorithm>
#include <string>

#include "mql/bson_value.hpp"

namespace tombolo::mql {

namespace {

class Validator {
  public:
    Validator(ByteView bytes, std::size_t depth_max) : bytes_(bytes), depth_max_(depth_max) {}

    Result<void> run() { return document(0, bytes_.size(), 1); }

  private:
    Error bad(std::size_t offset, std::string_view what) const {
        return Error(ErrorCode::bad_bson, "not a BSON document: " + std::string(what),
                     "offset " + std::to_string(offset));
    }

    std::int64_t length_at(std::size_t offset) const noexcept {
        std::int32_t out = 0;
        std::memcpy(&out, bytes_.data() + offset, sizeof out);
        return out;
    }

    /// Offset of the NUL at or after `at`, or `end`.
    std::size_t find_nul(std::size_t at, std::size_t end) const noexcept {
        const void* found = std::memchr(bytes_.data() + at, 0, end - at);
        return found == nullptr
                   ? end
                   : static_cast<std::size_t>(static_cast<const std::byte*>(found) - bytes_.data());
    }

    // A document that fills [start, end) exactly.
    Result<void> document(std::size_t start, std::size_t end, std::size_t depth) {
        if (depth > depth_max_) {
            return Error(ErrorCode::limit_exceeded,
                         "a document is nested deeper than " + std::to_string(depth_max_) +
                             " levels",
                         "offset " + std::to_string(start));
        }
        if (end - start < 5 || length_at(start) != static_cast<std::int64_t>(end - start)) {
            return bad(start, "its length does not fit its bytes");
        }
        if (bytes_[end - 1] != std::byte{0}) {
            return bad(end - 1, "the closing NUL is missing");
        }
        const std::size_t last = end - 1;
        std::size_t at = start + 4;
        while (at < last) {
            const auto type = static_cast<BsonType>(bytes_[at]);
            const std::size_t key_end = find_nul(at + 1, last);
            if (key_end == last) {
                return bad(at, "a field name is not terminated");
            }
            std::size_t size = 0;
            TOMBOLO_TRY_VOID(value(type, key_end + 1, last, depth, size));
            at = key_end + 1 + size;
        }
        return {};
    }

    // A length-prefixed, NUL-terminated string within [at, end): `size` gets its bytes with the
    // prefix.
    Result<void> string(std::size_t at, std::size_t end, std::size_t& size) const {
        if (end - at < 5) {
            return bad(at, "a string is cut off");
        }
        const std::int64_t length = length_at(at);
        if (length < 1 || length > static_cast<std::int64_t>(end - at - 4)) {
            return bad(at, "a string's length does not fit");
        }
        size = static_cast<std::size_t>(length) + 4;
        if (bytes_[at + size - 1] != std::byte{0}) {
            return bad(at + size - 1, "a string is not terminated");
        }
        return {};
    }

    Result<void> nested(std::size_t at, std::size_t end, std::size_t depth, std::size_t& size) {
        if (end - at < 5) {
            return bad(at, "a nested document is cut off");
        }
        const std::int64_t length = length_at(at);
        if (length < 5 || length > static_cast<std::int64_t>(end - at)) {
            return bad(at, "a nested document's length does not fit");
        }
        size = static_cast<std::size_t>(length);
        return document(at, at + size, depth + 1);
    }

    Result<void> code_with_scope(std::size_t at, std::size_t end, std::size_t depth,
                                 std::size_t& size) {
        if (end - at < 14) {
            return bad(at, "code with scope is cut off");
        }
        const std::int64_t length = length_at(at);
        if (length < 14 || length > static_cast<std::int64_t>(end - at)) {
            return bad(at, "the length of code with scope does not fit");
        }
        size = static_cast<std::size_t>(length);
        std::size_t code = 0;
        TOMBOLO_TRY_VOID(string(at + 4, at + size, code));
        return document_exact(at + 4 + code, at + size, depth);
    }

    Result<void> document_exact(std::size_t at, std::size_t end, std::size_t depth) {
        std::size_t size = 0;
        TOMBOLO_TRY_VOID(nested(at, end, depth, size));
        if (at + size != end) {
            return bad(at, "a scope's length does not fit");
        }
        return {};
    }

    Result<void> binary(std::size_t at, std::size_t end, std::size_t& size) const {
        if (end - at < 5) {
            return bad(at, "a binary value is cut off");
        }
        const std::int64_t length = length_at(at);
        if (length < 0 || length > static_cast<std::int64_t>(end - at - 5)) {
            return bad(at, "a binary value's length does not fit");
        }
        size = static_cast<std::size_t>(length) + 5;
        return {};
    }

    Result<void> regex(std::size_t at, std::size_t end, std::size_t& size) const {
        const std::size_t pattern_end = find_nul(at, end);
        const std::size_t options_end = pattern_end == end ? end : find_nul(pattern_end + 1, end);
        if (options_end == end) {
            return bad(at, "a regular expression is not terminated");
        }
        size = options_end + 1 - at;
        return {};
    }

    // `size` gets the bytes of the value at `at`; it ends at or before `end`.
    Result<void> value(BsonType type, std::size_t at, std::size_t end, std::size_t depth,
                       std::size_t& size) {
        switch (type) {
        case BsonType::string:
        case BsonType::code:
        case BsonType::symbol:
            return string(at, end, size);
        case BsonType::document:
        case BsonType::array:
            return nested(at, end, depth, size);
        case BsonType::binary:
            return binary(at, end, size);
        case BsonType::regex:
            return regex(at, end, size);
        case BsonType::db_pointer:
            TOMBOLO_TRY_VOID(string(at, end, size));
            size += 12;
            break;
        case BsonType::code_with_scope:
            return code_with_scope(at, end, depth, size);
        case BsonType::undefined:
        case BsonType::null:
        case BsonType::min_key:
        case BsonType::max_key:
            return {};
        case BsonType::float64:
        case BsonType::object_id:
        case BsonType::boolean:
        case BsonType::date:
        case BsonType::int32:
        case BsonType::timestamp:
        case BsonType::int64:
        case BsonType::decimal128:
            size = detail::value_size(type, nullptr);
            break;
        default:
            return bad(at, "unknown type " + std::to_string(static_cast<unsigned>(type)));
        }
        if (size > end - at) {
            return bad(at, "a value is cut off");
        }
        if (type == BsonType::boolean && static_cast<unsigned>(bytes_[at]) > 1) {
            return bad(at, "a boolean is neither 0 nor 1");
        }
        return {};
    }

    ByteView bytes_;
    std::size_t depth_max_;
};

} // namespace

Result<BsonDocumentView> BsonDocumentView::validate(ByteView bytes, std::size_t bytes_max,
                                                    std::size_t depth_max) {
    if (bytes.size() > bytes_max) {
        return Error(ErrorCode::limit_exceeded,
                     "a document is larger than " + std::to_string(bytes_max) + " bytes");
    }
    if (bytes.size() < 5) {
        return Error(ErrorCode::bad_bson, "not a BSON document: shorter than 5 bytes");
    }
    TOMBOLO_TRY_VOID(Validator(bytes, depth_max).run());
    return from_trusted(bytes);
}

} // namespace tombolo::mql
