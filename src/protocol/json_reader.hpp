#pragma once

// Reading a JSON object key by key. Internal to protocol/.
//
// Keeps the first error and gives defaults from then on, as HeaderReader does.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "core/result.hpp"

namespace tombolo::protocol::detail {

/// bad_sync_message when it is no JSON object, nests too deep, or is not UTF-8;
/// sync_message_too_large above `max`.
Result<boost::json::object> parse_json_object(std::string_view json, std::size_t max);

class ObjectReader {
  public:
    /// `object` must outlive the reader.
    explicit ObjectReader(const boost::json::object& object) : object_(object) {}

    bool has(std::string_view key) const { return object_.contains(key); }

    std::string string(std::string_view key);
    bool boolean(std::string_view key);
    std::int64_t integer(std::string_view key);
    /// 0 to 2^63 - 1.
    std::uint64_t count(std::string_view key);
    /// Null after an error.
    const boost::json::array* array(std::string_view key);

    std::optional<std::string> optional_string(std::string_view key) {
        return has(key) ? std::optional(string(key)) : std::nullopt;
    }
    std::optional<std::uint64_t> optional_count(std::string_view key) {
        return has(key) ? std::optional(count(key)) : std::nullopt;
    }

    void fail(std::string message);
    const std::optional<Error>& error() const noexcept { return error_; }

  private:
    const boost::json::value* find(std::string_view key);
    void fail_type(std::string_view key, const char* expected);

    const boost::json::object& object_;
    std::optional<Error> error_;
};

} // namespace tombolo::protocol::detail
