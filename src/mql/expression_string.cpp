// Strings. Code points are counted by their leading bytes; case folding is ASCII only, as MongoDB
// has it.

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "mql/expression_calendar.hpp"
#include "mql/expression_node.hpp"
#include "mql/expression_number.hpp"
#include "mql/expression_text.hpp"

namespace tombolo::mql::detail {

namespace {

Error not_a_string(std::string_view operator_name, BsonView value) {
    return failed(fmt::format("{} takes strings, not {}", operator_name, type_alias(value.type())));
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

char upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

Result<BsonView> concatenate(const Arguments& arguments) {
    std::size_t size = 0;
    for (const BsonView value : arguments.values) {
        if (value.is_nullish()) {
            return BsonView::null();
        }
        if (!value.is_string()) {
            return not_a_string("$concat", value);
        }
        size += value.as_string().size();
    }
    TOMBOLO_TRY_VOID(check_size(size, "$concat"));
    std::string text;
    text.reserve(size);
    for (const BsonView value : arguments.values) {
        text += value.as_string();
    }
    return arguments.evaluation.string(text);
}

Result<BsonView> to_upper(const Arguments& arguments) {
    TOMBOLO_TRY(std::string text, coerce_to_string(arguments[0], "$toUpper"));
    std::transform(text.begin(), text.end(), text.begin(), upper);
    return arguments.evaluation.string(text);
}

Result<BsonView> to_lower(const Arguments& arguments) {
    TOMBOLO_TRY(std::string text, coerce_to_string(arguments[0], "$toLower"));
    std::transform(text.begin(), text.end(), text.begin(), lower);
    return arguments.evaluation.string(text);
}

Result<BsonView> compare_ignoring_case(const Arguments& arguments) {
    TOMBOLO_TRY(std::string left, coerce_to_string(arguments[0], "$strcasecmp"));
    TOMBOLO_TRY(std::string right, coerce_to_string(arguments[1], "$strcasecmp"));
    std::transform(left.begin(), left.end(), left.begin(), upper);
    std::transform(right.begin(), right.end(), right.begin(), upper);
    const int order = left.compare(right);
    return arguments.evaluation.int32(order < 0 ? -1 : (order > 0 ? 1 : 0));
}

Result<BsonView> length_bytes(const Arguments& arguments) {
    if (!arguments[0].is_string()) {
        return not_a_string("$strLenBytes", arguments[0]);
    }
    return arguments.evaluation.integer(static_cast<std::int64_t>(arguments[0].as_string().size()));
}

Result<BsonView> length_code_points(const Arguments& arguments) {
    if (!arguments[0].is_string()) {
        return not_a_string("$strLenCP", arguments[0]);
    }
    const std::string_view text = arguments[0].as_string();
    return arguments.evaluation.integer(static_cast<std::int64_t>(count_code_points(text)));
}

/// Start and length of a substring operator; a negative length means "to the end" where
/// `negative_length` allows it.
Result<std::pair<std::int64_t, std::int64_t>> range_arguments(const Arguments& arguments,
                                                              std::string_view name) {
    if (!arguments[1].is_number() || !arguments[2].is_number()) {
        return failed(fmt::format("the start and the length of {} must be numbers", name));
    }
    const auto whole = [](BsonView number) {
        return static_cast<std::int64_t>(std::clamp(std::trunc(number.to_double()), -1e15, 1e15));
    };
    return std::pair(whole(arguments[1]), whole(arguments[2]));
}

Result<BsonView> substring_bytes(const Arguments& arguments) {
    TOMBOLO_TRY(const std::string text, coerce_to_string(arguments[0], "$substrBytes"));
    TOMBOLO_TRY(const auto range, range_arguments(arguments, "$substrBytes"));
    if (range.first < 0) {
        return failed("the start of $substrBytes must not be negative");
    }
    const auto start = static_cast<std::size_t>(range.first);
    if (start >= text.size()) {
        return arguments.evaluation.string("");
    }
    const std::size_t length =
        range.second < 0 ? text.size() - start
                         : std::min(static_cast<std::size_t>(range.second), text.size() - start);
    if (is_continuation(text[start])) {
        return failed("the start of $substrBytes lies inside a character");
    }
    if (start + length < text.size() && is_continuation(text[start + length])) {
        return failed("the end of $substrBytes lies inside a character");
    }
    return arguments.evaluation.string(std::string_view(text).substr(start, length));
}

Result<BsonView> substring_code_points(const Arguments& arguments) {
    TOMBOLO_TRY(const std::string text, coerce_to_string(arguments[0], "$substrCP"));
    TOMBOLO_TRY(const auto range, range_arguments(arguments, "$substrCP"));
    if (range.first < 0 || range.second < 0) {
        return failed("the start and the length of $substrCP must not be negative");
    }
    const std::size_t start = skip_code_points(text, 0, static_cast<std::size_t>(range.first));
    const std::size_t end = skip_code_points(text, start, static_cast<std::size_t>(range.second));
    return arguments.evaluation.string(std::string_view(text).substr(start, end - start));
}

Result<BsonView> split(const Arguments& arguments) {
    if (arguments[0].is_nullish() || arguments[1].is_nullish()) {
        return BsonView::null();
    }
    if (!arguments[0].is_string() || !arguments[1].is_string()) {
        return not_a_string("$split", arguments[0].is_string() ? arguments[1] : arguments[0]);
    }
    const std::string_view text = arguments[0].as_string();
    const std::string_view separator = arguments[1].as_string();
    if (separator.empty()) {
        return failed("the separator of $split must not be empty");
    }
    BsonWriter writer(true);
    std::size_t start = 0;
    while (true) {
        const std::size_t end = std::min(text.find(separator, start), text.size());
        writer.append_string({}, text.substr(start, end - start));
        TOMBOLO_TRY_VOID(check_size(writer.size(), "$split"));
        if (end == text.size()) {
            return arguments.evaluation.array(std::move(writer));
        }
        start = end + separator.size();
    }
}

/// Where to search, in units of the operator; the end is exclusive and may be absent.
struct SearchRange {
    std::size_t start = 0;
    std::size_t end = 0;
};

Result<std::optional<SearchRange>> search_range(const Arguments& arguments, std::size_t length,
                                                std::string_view name) {
    SearchRange range{0, length};
    for (std::size_t i = 2; i < arguments.size(); ++i) {
        std::int64_t bound = 0;
        if (!arguments[i].to_int64(bound) || bound < 0) {
            return failed(fmt::format("the bounds of {} must be whole numbers from 0", name));
        }
        (i == 2 ? range.start : range.end) =
            i == 2 ? static_cast<std::size_t>(bound)
                   : std::min(static_cast<std::size_t>(bound), length);
    }
    if (range.start > length || range.start > range.end) {
        return std::optional<SearchRange>();
    }
    return std::optional(range);
}

Result<BsonView> index_of(const Arguments& arguments, bool code_points, std::string_view name) {
    if (arguments[0].is_nullish()) {
        return BsonView::null();
    }
    if (!arguments[0].is_string() || !arguments[1].is_string()) {
        return not_a_string(name, arguments[0].is_string() ? arguments[1] : arguments[0]);
    }
    const std::string_view text = arguments[0].as_string();
    const std::string_view token = arguments[1].as_string();
    TOMBOLO_TRY(const auto range,
                search_range(arguments, code_points ? count_code_points(text) : text.size(), name));
    if (!range) {
        return arguments.evaluation.int32(-1);
    }
    const std::size_t start = code_points ? skip_code_points(text, 0, range->start) : range->start;
    const std::size_t end = code_points ? skip_code_points(text, 0, range->end) : range->end;
    const std::size_t found = text.substr(0, end).find(token, start);
    if (found == std::string_view::npos) {
        return arguments.evaluation.int32(-1);
    }
    return arguments.evaluation.integer(
        static_cast<std::int64_t>(code_points ? count_code_points(text.substr(0, found)) : found));
}

Result<BsonView> index_of_bytes(const Arguments& arguments) {
    return index_of(arguments, false, "$indexOfBytes");
}

Result<BsonView> index_of_code_points(const Arguments& arguments) {
    return index_of(arguments, true, "$indexOfCP");
}

/// What $trim takes away when no characters are named: MongoDB's list of whitespace, NUL included.
const std::vector<std::string_view>& whitespace() {
    static const std::vector<std::string_view> characters = {std::string_view("\0", 1),
                                                             " ",
                                                             "\t",
                                                             "\n",
                                                             "\v",
                                                             "\f",
                                                             "\r",
                                                             "\xc2\xa0",
                                                             "\xe1\x9a\x80",
                                                             "\xe2\x80\x80",
                                                             "\xe2\x80\x81",
                                                             "\xe2\x80\x82",
                                                             "\xe2\x80\x83",
                                                             "\xe2\x80\x84",
                                                             "\xe2\x80\x85",
                                                             "\xe2\x80\x86",
                                                             "\xe2\x80\x87",
                                                             "\xe2\x80\x88",
                                                             "\xe2\x80\x89",
                                                             "\xe2\x80\x8a"};
    return characters;
}

Result<BsonView> trim(const Arguments& arguments, bool left, bool right, std::string_view name) {
    if (arguments[0].is_nullish()) {
        return BsonView::null();
    }
    if (!arguments[0].is_string()) {
        return not_a_string(name, arguments[0]);
    }
    std::vector<std::string_view> named;
    if (arguments.has(1)) {
        if (arguments[1].is_nullish()) {
            return BsonView::null();
        }
        if (!arguments[1].is_string()) {
            return not_a_string(name, arguments[1]);
        }
        std::string_view rest = arguments[1].as_string();
        while (!rest.empty()) {
            const std::size_t size = skip_code_points(rest, 0, 1);
            named.push_back(rest.substr(0, size));
            rest.remove_prefix(size);
        }
    }
    const auto& characters = arguments.has(1) ? named : whitespace();
    std::string_view text = arguments[0].as_string();
    const auto strip = [&](bool from_left) {
        while (!text.empty()) {
            const auto found =
                std::find_if(characters.begin(), characters.end(), [&](std::string_view character) {
                    return from_left ? text.starts_with(character) : text.ends_with(character);
                });
            if (found == characters.end()) {
                return;
            }
            from_left ? text.remove_prefix(found->size()) : text.remove_suffix(found->size());
        }
    };
    if (left) {
        strip(true);
    }
    if (right) {
        strip(false);
    }
    return arguments.evaluation.string(text);
}

Result<BsonView> trim_both(const Arguments& arguments) {
    return trim(arguments, true, true, "$trim");
}
Result<BsonView> trim_left(const Arguments& arguments) {
    return trim(arguments, true, false, "$ltrim");
}
Result<BsonView> trim_right(const Arguments& arguments) {
    return trim(arguments, false, true, "$rtrim");
}

Result<BsonView> replace(const Arguments& arguments, bool all, std::string_view name) {
    for (const BsonView value : arguments.values) {
        if (!value.is_nullish() && !value.is_string()) {
            return not_a_string(name, value);
        }
    }
    for (const BsonView value : arguments.values) {
        if (value.is_nullish()) {
            return BsonView::null();
        }
    }
    const std::string_view text = arguments[0].as_string();
    const std::string_view find = arguments[1].as_string();
    const std::string_view replacement = arguments[2].as_string();
    std::string out;
    std::size_t start = 0;
    while (start <= text.size()) {
        const std::size_t found = text.find(find, start);
        if (found == std::string_view::npos) {
            break;
        }
        out += text.substr(start, found - start);
        out += replacement;
        TOMBOLO_TRY_VOID(check_size(out.size(), name));
        start = found + find.size();
        if (find.empty() && found < text.size()) {
            out += text[found]; // an empty text stands between all bytes
            ++start;
        } else if (find.empty()) {
            return arguments.evaluation.string(out);
        }
        if (!all) {
            break;
        }
    }
    out += text.substr(std::min(start, text.size()));
    TOMBOLO_TRY_VOID(check_size(out.size(), name));
    return arguments.evaluation.string(out);
}

Result<BsonView> replace_one(const Arguments& arguments) {
    return replace(arguments, false, "$replaceOne");
}
Result<BsonView> replace_all(const Arguments& arguments) {
    return replace(arguments, true, "$replaceAll");
}

constexpr std::array positional = std::to_array<PositionalOperator>({
    {"$concat", 0, any_count, concatenate},
    {"$toUpper", 1, 1, to_upper},
    {"$toLower", 1, 1, to_lower},
    {"$strcasecmp", 2, 2, compare_ignoring_case},
    {"$strLenBytes", 1, 1, length_bytes},
    {"$strLenCP", 1, 1, length_code_points},
    {"$substr", 3, 3, substring_bytes},
    {"$substrBytes", 3, 3, substring_bytes},
    {"$substrCP", 3, 3, substring_code_points},
    {"$split", 2, 2, split},
    {"$indexOfBytes", 2, 4, index_of_bytes},
    {"$indexOfCP", 2, 4, index_of_code_points},
});

constexpr std::array named = std::to_array<NamedOperator>({
    {"$trim", {"input", "?chars"}, trim_both},
    {"$ltrim", {"input", "?chars"}, trim_left},
    {"$rtrim", {"input", "?chars"}, trim_right},
    {"$replaceOne", {"input", "find", "replacement"}, replace_one},
    {"$replaceAll", {"input", "find", "replacement"}, replace_all},
});

std::string double_text(double value) {
    if (std::isnan(value)) {
        return "NaN";
    }
    if (std::isinf(value)) {
        return value < 0 ? "-Infinity" : "Infinity";
    }
    // The shortest text that reads back to the same number.
    std::array<char, 40> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
    return {buffer.data(), end};
}

} // namespace

std::span<const PositionalOperator> string_operators() noexcept {
    return positional;
}

std::span<const NamedOperator> string_named_operators() noexcept {
    return named;
}

std::string number_text(BsonView number) {
    switch (kind_of(number)) {
    case NumberKind::decimal:
        return number.as_decimal().to_string();
    case NumberKind::float64:
        return double_text(number.as_double());
    case NumberKind::int64:
    case NumberKind::int32:
        break;
    }
    return std::to_string(to_integer(number));
}

Result<std::string> coerce_to_string(BsonView value, std::string_view operator_name) {
    if (value.is_nullish()) {
        return std::string();
    }
    if (value.is_number()) {
        return number_text(value);
    }
    switch (value.type()) {
    case BsonType::string:
    case BsonType::symbol:
    case BsonType::code:
        return std::string(value.as_string());
    case BsonType::date:
        if (std::abs(value.as_date_ms() / 2) > calendar_ms_max / 2) {
            return failed("a date lies outside the range of dates");
        }
        return format_date(value.as_date_ms(), 0, "%Y-%m-%dT%H:%M:%S.%LZ");
    default:
        return failed(
            fmt::format("{} cannot take {} as a string", operator_name, type_alias(value.type())));
    }
}

} // namespace tombolo::mql::detail
