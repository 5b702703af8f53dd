#include "protocol/json_reader.hpp"

#include "protocol/limits.hpp"

namespace tombolo::protocol::detail {

Result<boost::json::object> parse_json_object(std::string_view json, std::size_t max) {
    if (json.size() > max) {
        return Error(ErrorCode::sync_message_too_large,
                     "a JSON body has " + std::to_string(json.size()) + " bytes; at most " +
                         std::to_string(max) + " are allowed");
    }
    boost::json::parse_options options;
    options.max_depth = limits::json_depth_max;
    boost::json::error_code failure;
    boost::json::value value = boost::json::parse({json.data(), json.size()}, failure, {}, options);
    if (failure) {
        return Error(ErrorCode::bad_sync_message, "a body is not JSON: " + failure.message());
    }
    if (!value.is_object()) {
        return Error(ErrorCode::bad_sync_message, "a body is not a JSON object");
    }
    return std::move(value.get_object());
}

const boost::json::value* ObjectReader::find(std::string_view key) {
    const boost::json::value* found = object_.if_contains({key.data(), key.size()});
    if (found == nullptr) {
        fail("key '" + std::string(key) + "' is missing");
    }
    return found;
}

void ObjectReader::fail(std::string message) {
    if (!error_) {
        error_.emplace(ErrorCode::bad_sync_message, std::move(message));
    }
}

void ObjectReader::fail_type(std::string_view key, const char* expected) {
    fail("key '" + std::string(key) + "' is not " + expected);
}

std::string ObjectReader::string(std::string_view key) {
    const boost::json::value* value = find(key);
    if (value == nullptr) {
        return {};
    }
    const boost::json::string* text = value->if_string();
    if (text == nullptr) {
        fail_type(key, "a string");
        return {};
    }
    return {text->data(), text->size()};
}

bool ObjectReader::boolean(std::string_view key) {
    const boost::json::value* value = find(key);
    if (value == nullptr) {
        return false;
    }
    const bool* flag = value->if_bool();
    if (flag == nullptr) {
        fail_type(key, "true or false");
        return false;
    }
    return *flag;
}

std::int64_t ObjectReader::integer(std::string_view key) {
    const boost::json::value* value = find(key);
    if (value == nullptr) {
        return 0;
    }
    const std::int64_t* number = value->if_int64();
    if (number == nullptr) {
        fail_type(key, "an integer in range");
        return 0;
    }
    return *number;
}

std::uint64_t ObjectReader::count(std::string_view key) {
    const std::int64_t number = integer(key);
    if (number < 0) {
        fail_type(key, "zero or more");
        return 0;
    }
    return static_cast<std::uint64_t>(number);
}

const boost::json::array* ObjectReader::array(std::string_view key) {
    const boost::json::value* value = find(key);
    if (value == nullptr) {
        return nullptr;
    }
    const boost::json::array* items = value->if_array();
    if (items == nullptr) {
        fail_type(key, "an array");
    }
    return items;
}

} // namespace tombolo::protocol::detail
