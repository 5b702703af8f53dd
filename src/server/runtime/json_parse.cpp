// parse_json(): Boost.JSON's parser with numbers of our own, because its own doubles may be off by
// one in the last place: what is stored and printed again would drift.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>

#include "core/limits.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::server {

namespace json = boost::json;

namespace {

/// Builds the value. The names and results are the parser's.
struct ValueBuilder {
    static constexpr std::size_t max_object_size = json::object::max_size();
    static constexpr std::size_t max_array_size = json::array::max_size();
    static constexpr std::size_t max_key_size = json::string::max_size();
    static constexpr std::size_t max_string_size = json::string::max_size();

    json::value_stack stack;
    std::string number; ///< its first part, when it came in two

    bool on_document_begin(json::error_code& /*error*/) {
        stack.reset();
        return true;
    }
    bool on_document_end(json::error_code& /*error*/) { return true; }
    bool on_object_begin(json::error_code& /*error*/) { return true; }
    bool on_object_end(std::size_t members, json::error_code& /*error*/) {
        stack.push_object(members);
        return true;
    }
    bool on_array_begin(json::error_code& /*error*/) { return true; }
    bool on_array_end(std::size_t elements, json::error_code& /*error*/) {
        stack.push_array(elements);
        return true;
    }
    bool on_key_part(json::string_view part, std::size_t /*size*/, json::error_code& /*error*/) {
        stack.push_chars(part);
        return true;
    }
    bool on_key(json::string_view rest, std::size_t /*size*/, json::error_code& /*error*/) {
        stack.push_key(rest);
        return true;
    }
    bool on_string_part(json::string_view part, std::size_t /*size*/, json::error_code& /*error*/) {
        stack.push_chars(part);
        return true;
    }
    bool on_string(json::string_view rest, std::size_t /*size*/, json::error_code& /*error*/) {
        stack.push_string(rest);
        return true;
    }
    bool on_number_part(json::string_view part, json::error_code& /*error*/) {
        number.append(part.data(), part.size());
        return true;
    }
    bool on_int64(std::int64_t value, json::string_view /*rest*/, json::error_code& /*error*/) {
        number.clear();
        stack.push_int64(value);
        return true;
    }
    bool on_uint64(std::uint64_t value, json::string_view /*rest*/, json::error_code& /*error*/) {
        number.clear();
        stack.push_uint64(value);
        return true;
    }
    bool on_double(double roughly, json::string_view rest, json::error_code& error) {
        number.append(rest.data(), rest.size());
        double exact = roughly;
        std::from_chars(number.data(), number.data() + number.size(), exact); // too small: as it is
        number.clear();
        if (!std::isfinite(roughly) || !std::isfinite(exact)) {
            error = json::error::exponent_overflow; // could not be printed as JSON again
            return false;
        }
        stack.push_double(exact);
        return true;
    }
    bool on_bool(bool value, json::error_code& /*error*/) {
        stack.push_bool(value);
        return true;
    }
    bool on_null(json::error_code& /*error*/) {
        stack.push_null();
        return true;
    }
    bool on_comment_part(json::string_view /*part*/, json::error_code& /*error*/) { return true; }
    bool on_comment(json::string_view /*rest*/, json::error_code& /*error*/) { return true; }
};

} // namespace

Result<json::value> parse_json(std::string_view text) {
    json::parse_options options;
    options.max_depth = limits::document_depth_max;
    json::basic_parser<ValueBuilder> parser(options);
    json::error_code error;
    const std::size_t read = parser.write_some(false, text.data(), text.size(), error);
    if (!error && read < text.size() &&
        text.find_first_not_of(" \t\r\n", read) != std::string_view::npos) {
        error = json::error::extra_data;
    }
    if (!error) {
        return parser.handler().stack.release();
    }
    if (error == json::error::too_deep) {
        return Error(ErrorCode::limit_exceeded, "the JSON is nested too deep");
    }
    if (error == json::error::exponent_overflow) {
        return Error(ErrorCode::bad_json, "the JSON has a number too large for a double");
    }
    const std::string_view before = text.substr(0, std::min(read, text.size()));
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const std::size_t start = before.rfind('\n');
    const std::size_t column =
        before.size() - (start == std::string_view::npos ? 0 : start + 1) + 1;
    return Error(ErrorCode::bad_json, "not valid JSON: " + error.message(),
                 "line " + std::to_string(line) + ", column " + std::to_string(column));
}

} // namespace tombolo::server
