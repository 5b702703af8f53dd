// Arrays: the operators whose arguments are evaluated first. $map, $filter, $reduce and $sortArray:
// expression_loop.cpp.

#include <algorithm>
#include <limits>
#include <unordered_map>

#include <fmt/format.h>

#include "core/limits.hpp"
#include "mql/bson_compare.hpp"
#include "mql/expression_node.hpp"
#include "mql/expression_number.hpp"

namespace tombolo::mql::detail {

namespace {

Error not_an_array(std::string_view operator_name, BsonView value) {
    return failed(fmt::format("{} takes arrays, not {}", operator_name, type_alias(value.type())));
}

std::vector<BsonView> elements_of(BsonView array) {
    std::vector<BsonView> elements;
    for (const BsonElement& element : array.as_document()) {
        elements.push_back(element.value);
    }
    return elements;
}

Result<BsonView> element_at(BsonView array, std::int64_t index) {
    if (index >= 0) {
        return array.as_document().at(static_cast<std::size_t>(index));
    }
    const auto count = static_cast<std::int64_t>(array.as_document().count());
    return index + count < 0 ? BsonView()
                             : array.as_document().at(static_cast<std::size_t>(index + count));
}

Result<BsonView> array_element_at(const Arguments& arguments) {
    if (arguments[0].is_nullish() || arguments[1].is_nullish()) {
        return BsonView::null();
    }
    if (!arguments[0].is_array()) {
        return not_an_array("$arrayElemAt", arguments[0]);
    }
    std::int64_t index = 0;
    if (!arguments[1].to_int64(index)) {
        return failed("the position of $arrayElemAt must be a whole number");
    }
    return element_at(arguments[0], index);
}

Result<BsonView> first_element(const Arguments& arguments) {
    if (arguments[0].is_nullish()) {
        return BsonView::null();
    }
    return arguments[0].is_array() ? element_at(arguments[0], 0)
                                   : not_an_array("$first", arguments[0]);
}

Result<BsonView> last_element(const Arguments& arguments) {
    if (arguments[0].is_nullish()) {
        return BsonView::null();
    }
    return arguments[0].is_array() ? element_at(arguments[0], -1)
                                   : not_an_array("$last", arguments[0]);
}

Result<BsonView> size_of(const Arguments& arguments) {
    if (!arguments[0].is_array()) {
        return not_an_array("$size", arguments[0]);
    }
    return arguments.evaluation.integer(
        static_cast<std::int64_t>(arguments[0].as_document().count()));
}

Result<BsonView> is_array(const Arguments& arguments) {
    return arguments.evaluation.boolean(arguments[0].is_array());
}

Result<BsonView> contains(const Arguments& arguments) {
    if (!arguments[1].is_array()) {
        return failed(fmt::format("$in takes an array as its second argument, not {}",
                                  type_alias(arguments[1].type())));
    }
    for (const BsonElement& element : arguments[1].as_document()) {
        if (equal(element.value, arguments[0])) {
            return arguments.evaluation.boolean(true);
        }
    }
    return arguments.evaluation.boolean(false);
}

Result<BsonView> concatenate(const Arguments& arguments) {
    for (const BsonView value : arguments.values) {
        if (value.is_nullish()) {
            return BsonView::null();
        }
        if (!value.is_array()) {
            return not_an_array("$concatArrays", value);
        }
    }
    BsonWriter writer(true);
    for (const BsonView value : arguments.values) {
        for (const BsonElement& element : value.as_document()) {
            writer.append({}, element.value);
        }
        TOMBOLO_TRY_VOID(check_size(writer.size(), "$concatArrays"));
    }
    return arguments.evaluation.array(std::move(writer));
}

Result<BsonView> reverse(const Arguments& arguments) {
    if (arguments[0].is_nullish()) {
        return BsonView::null();
    }
    if (!arguments[0].is_array()) {
        return not_an_array("$reverseArray", arguments[0]);
    }
    const std::vector<BsonView> elements = elements_of(arguments[0]);
    BsonWriter writer(true);
    for (auto element = elements.rbegin(); element != elements.rend(); ++element) {
        writer.append({}, *element);
    }
    return arguments.evaluation.array(std::move(writer));
}

BsonView copy_range(Evaluation& evaluation, BsonView array, std::int64_t start, std::int64_t end) {
    BsonWriter writer(true);
    std::int64_t index = 0;
    for (const BsonElement& element : array.as_document()) {
        if (index >= end) {
            break;
        }
        if (index >= start) {
            writer.append({}, element.value);
        }
        ++index;
    }
    return evaluation.array(std::move(writer));
}

Result<BsonView> slice(const Arguments& arguments) {
    for (const BsonView value : arguments.values) {
        if (value.is_nullish()) {
            return BsonView::null();
        }
    }
    if (!arguments[0].is_array()) {
        return not_an_array("$slice", arguments[0]);
    }
    std::int64_t first = 0;
    std::int64_t count = 0;
    const bool positioned = arguments.size() == 3;
    if (!arguments[1].to_int64(first) || (positioned && !arguments[2].to_int64(count))) {
        return failed("the position and the count of $slice must be whole numbers");
    }
    const auto length = static_cast<std::int64_t>(arguments[0].as_document().count());
    first = std::clamp(first, -length - 1, length);
    count = std::min(count, length);
    if (!positioned) {
        return first >= 0 ? copy_range(arguments.evaluation, arguments[0], 0, first)
                          : copy_range(arguments.evaluation, arguments[0], length + first, length);
    }
    if (count <= 0) {
        return failed("the count of $slice must be positive when a position is given");
    }
    const std::int64_t start = first >= 0 ? first : std::max<std::int64_t>(length + first, 0);
    return copy_range(arguments.evaluation, arguments[0], start, start + count);
}

Result<BsonView> index_of(const Arguments& arguments) {
    if (arguments[0].is_nullish()) {
        return BsonView::null();
    }
    if (!arguments[0].is_array()) {
        return not_an_array("$indexOfArray", arguments[0]);
    }
    std::int64_t start = 0;
    std::int64_t end = any_count * std::int64_t{1'000'000};
    for (std::size_t i = 2; i < arguments.size(); ++i) {
        std::int64_t& bound = i == 2 ? start : end;
        if (!arguments[i].to_int64(bound) || bound < 0) {
            return failed("the bounds of $indexOfArray must be whole numbers from 0");
        }
    }
    std::int64_t index = 0;
    for (const BsonElement& element : arguments[0].as_document()) {
        if (index >= end) {
            break;
        }
        if (index >= start && equal(element.value, arguments[1])) {
            return arguments.evaluation.integer(index);
        }
        ++index;
    }
    return arguments.evaluation.int32(-1);
}

Result<BsonView> range(const Arguments& arguments) {
    std::array<std::int64_t, 3> bounds = {0, 0, 1};
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        if (!arguments[i].is_number() || !arguments[i].to_int64(bounds[i]) ||
            bounds[i] > std::numeric_limits<std::int32_t>::max() ||
            bounds[i] < std::numeric_limits<std::int32_t>::min()) {
            return failed("the arguments of $range must be whole 32-bit numbers");
        }
    }
    const auto [start, end, increment] = bounds;
    if (increment == 0) {
        return failed("the step of $range must not be 0");
    }
    BsonWriter writer(true);
    for (std::int64_t at = start; increment > 0 ? at < end : at > end; at += increment) {
        writer.append_int32({}, static_cast<std::int32_t>(at));
        if (writer.size() > limits::document_bytes_max) {
            TOMBOLO_TRY_VOID(check_size(writer.size(), "$range"));
        }
    }
    return arguments.evaluation.array(std::move(writer));
}

/// [k, v] or {k, v} as a pair.
Result<std::pair<BsonView, BsonView>> entry_of(BsonView element) {
    std::pair<BsonView, BsonView> entry;
    const auto count = element.is_container() ? element.as_document().count() : 0;
    if (count == 2 && element.is_array()) {
        entry = {element.as_document().at(0), element.as_document().at(1)};
    } else if (count == 2 && element.is_document()) {
        entry = {element.as_document().find("k"), element.as_document().find("v")};
    }
    if (!entry.first.is_string() || entry.second.is_missing()) {
        return failed("$arrayToObject takes elements [key, value] or {k: key, v: value} with "
                      "string keys");
    }
    if (entry.first.as_string().find('\0') != std::string_view::npos) {
        return failed("a key of $arrayToObject must not contain a NUL");
    }
    return entry;
}

Result<BsonView> array_to_object(const Arguments& arguments) {
    if (arguments[0].is_nullish()) {
        return BsonView::null();
    }
    if (!arguments[0].is_array()) {
        return not_an_array("$arrayToObject", arguments[0]);
    }
    // The last value of a key wins, at the place of its first.
    std::vector<std::pair<std::string_view, BsonView>> fields;
    std::unordered_map<std::string_view, std::size_t> places;
    for (const BsonElement& element : arguments[0].as_document()) {
        TOMBOLO_TRY(const auto entry, entry_of(element.value));
        const std::string_view key = entry.first.as_string();
        const auto [place, is_new] = places.emplace(key, fields.size());
        if (is_new) {
            fields.emplace_back(key, entry.second);
        } else {
            fields[place->second].second = entry.second;
        }
    }
    BsonWriter writer;
    for (const auto& [key, value] : fields) {
        writer.append(key, value);
    }
    return arguments.evaluation.document(std::move(writer));
}

Result<BsonView> object_to_array(const Arguments& arguments) {
    if (arguments[0].is_nullish()) {
        return BsonView::null();
    }
    if (!arguments[0].is_document()) {
        return failed(
            fmt::format("$objectToArray takes an object, not {}", type_alias(arguments[0].type())));
    }
    BsonWriter writer(true);
    for (const BsonElement& element : arguments[0].as_document()) {
        writer.begin_document({});
        writer.append_string("k", element.key);
        writer.append("v", element.value);
        writer.end();
    }
    TOMBOLO_TRY_VOID(check_size(writer.size(), "$objectToArray"));
    return arguments.evaluation.array(std::move(writer));
}

/// $zip {inputs, useLongestLength, defaults}.
Result<BsonView> zip(const Arguments& arguments) {
    const bool longest = arguments.has(1) && arguments[1].truthy();
    if (arguments[0].is_nullish()) {
        return BsonView::null();
    }
    if (!arguments[0].is_array()) {
        return failed("the inputs of $zip must be an array of arrays");
    }
    std::vector<std::vector<BsonView>> inputs;
    std::size_t rows = 0;
    for (const BsonElement& element : arguments[0].as_document()) {
        if (element.value.is_nullish()) {
            return BsonView::null();
        }
        if (!element.value.is_array()) {
            return not_an_array("$zip", element.value);
        }
        inputs.push_back(elements_of(element.value));
        const std::size_t length = inputs.back().size();
        rows = inputs.size() == 1 ? length
                                  : (longest ? std::max(rows, length) : std::min(rows, length));
    }
    if (inputs.empty()) {
        return failed("$zip needs at least one input");
    }
    std::vector<BsonView> defaults(inputs.size(), BsonView::null());
    if (arguments.has(2) && !arguments[2].is_nullish()) {
        if (!arguments[2].is_array() || !longest ||
            arguments[2].as_document().count() != inputs.size()) {
            return failed("the defaults of $zip need useLongestLength and one value an input");
        }
        defaults = elements_of(arguments[2]);
    }
    BsonWriter writer(true);
    for (std::size_t row = 0; row < rows; ++row) {
        writer.begin_array({});
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            writer.append({}, row < inputs[i].size() ? inputs[i][row] : defaults[i]);
        }
        writer.end();
        TOMBOLO_TRY_VOID(check_size(writer.size(), "$zip"));
    }
    return arguments.evaluation.array(std::move(writer));
}

/// {n, input} of $firstN and its kin.
Result<std::int64_t> count_argument(const Arguments& arguments, std::string_view name) {
    std::int64_t count = 0;
    if (!arguments[0].to_int64(count) || count < 1) {
        return failed(fmt::format("n of {} must be a whole number from 1", name));
    }
    if (!arguments[1].is_array()) {
        return not_an_array(name, arguments[1]);
    }
    return count;
}

Result<BsonView> first_n(const Arguments& arguments) {
    TOMBOLO_TRY(const std::int64_t count, count_argument(arguments, "$firstN"));
    return copy_range(arguments.evaluation, arguments[1], 0, count);
}

Result<BsonView> last_n(const Arguments& arguments) {
    TOMBOLO_TRY(const std::int64_t count, count_argument(arguments, "$lastN"));
    const auto length = static_cast<std::int64_t>(arguments[1].as_document().count());
    return copy_range(arguments.evaluation, arguments[1], std::max<std::int64_t>(length - count, 0),
                      length);
}

Result<BsonView> extreme_n(const Arguments& arguments, bool largest, std::string_view name) {
    TOMBOLO_TRY(const std::int64_t count, count_argument(arguments, name));
    std::vector<BsonView> elements = elements_of(arguments[1]);
    std::erase_if(elements, [](BsonView value) { return value.is_nullish(); });
    std::stable_sort(elements.begin(), elements.end(), [largest](BsonView left, BsonView right) {
        return largest ? compare(left, right) > 0 : compare(left, right) < 0;
    });
    BsonWriter writer(true);
    for (std::size_t i = 0; i < elements.size() && static_cast<std::int64_t>(i) < count; ++i) {
        writer.append({}, elements[i]);
    }
    return arguments.evaluation.array(std::move(writer));
}

Result<BsonView> max_n(const Arguments& arguments) {
    return extreme_n(arguments, true, "$maxN");
}
Result<BsonView> min_n(const Arguments& arguments) {
    return extreme_n(arguments, false, "$minN");
}

constexpr std::array positional = std::to_array<PositionalOperator>({
    {"$arrayElemAt", 2, 2, array_element_at},
    {"$first", 1, 1, first_element},
    {"$last", 1, 1, last_element},
    {"$size", 1, 1, size_of},
    {"$isArray", 1, 1, is_array},
    {"$in", 2, 2, contains},
    {"$concatArrays", 0, any_count, concatenate},
    {"$reverseArray", 1, 1, reverse},
    {"$slice", 2, 3, slice},
    {"$indexOfArray", 2, 4, index_of},
    {"$range", 2, 3, range},
    {"$arrayToObject", 1, 1, array_to_object},
    {"$objectToArray", 1, 1, object_to_array},
});

constexpr std::array named = std::to_array<NamedOperator>({
    {"$zip", {"inputs", "?useLongestLength", "?defaults"}, zip},
    {"$firstN", {"n", "input"}, first_n},
    {"$lastN", {"n", "input"}, last_n},
    {"$maxN", {"n", "input"}, max_n},
    {"$minN", {"n", "input"}, min_n},
});

} // namespace

std::span<const PositionalOperator> array_operators() noexcept {
    return positional;
}

std::span<const NamedOperator> array_named_operators() noexcept {
    return named;
}

} // namespace tombolo::mql::detail
