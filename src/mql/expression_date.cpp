// Dates: taking apart, putting together, arithmetic and text, in UTC or at a fixed offset.

#include <limits>
#include <unordered_map>

#include <fmt/format.h>

#include "mql/expression_calendar.hpp"
#include "mql/expression_node.hpp"

namespace tombolo::mql::detail {

namespace {

/// Milliseconds of a date, a timestamp or an ObjectId. REQUIRES: not nullish.
Result<std::int64_t> date_ms(BsonView value, std::string_view name) {
    std::int64_t ms = 0;
    switch (value.type()) {
    case BsonType::date:
        ms = value.as_date_ms();
        break;
    case BsonType::timestamp:
        ms = static_cast<std::int64_t>(value.as_timestamp() >> 32) * 1000;
        break;
    case BsonType::object_id:
        ms = std::int64_t{value.as_object_id().unix_seconds()} * 1000;
        break;
    default:
        return failed(fmt::format("{} takes a date, not {}", name, type_alias(value.type())));
    }
    if (ms > calendar_ms_max || ms < -calendar_ms_max) {
        return failed(fmt::format("{} met a date outside the range of dates", name));
    }
    return ms;
}

/// The offset of a time zone argument; 0 when absent. Nothing when it is nullish.
Result<std::optional<std::int64_t>> zone_offset(const Arguments& arguments, std::size_t index,
                                                std::string_view name) {
    if (!arguments.has(index)) {
        return std::optional<std::int64_t>(0);
    }
    if (arguments[index].is_nullish()) {
        return std::optional<std::int64_t>();
    }
    if (!arguments[index].is_string()) {
        return failed(fmt::format("the timezone of {} must be a string, not {}", name,
                                  type_alias(arguments[index].type())));
    }
    TOMBOLO_TRY(const std::int64_t offset, parse_time_zone(arguments[index].as_string()));
    return std::optional(offset);
}

Result<std::optional<DateUnit>> unit_argument(BsonView value, std::string_view name) {
    if (value.is_nullish()) {
        return std::optional<DateUnit>();
    }
    const auto unit =
        value.is_string() ? parse_date_unit(value.as_string()) : std::optional<DateUnit>();
    if (!unit) {
        return failed(fmt::format("the unit of {} must be one of year, quarter, month, week, day, "
                                  "hour, minute, second, millisecond",
                                  name));
    }
    return unit;
}

/// 1 (Monday) to 7; Sunday when absent. Nothing when nullish.
Result<std::optional<int>> week_start(const Arguments& arguments, std::size_t index,
                                      std::string_view name) {
    if (!arguments.has(index)) {
        return std::optional<int>(7);
    }
    if (arguments[index].is_nullish()) {
        return std::optional<int>();
    }
    const auto day = arguments[index].is_string() ? parse_weekday(arguments[index].as_string())
                                                  : std::optional<int>();
    if (!day) {
        return failed(fmt::format("the startOfWeek of {} must be a day's name", name));
    }
    return day;
}

/// A function of the local date.
using DatePart = std::int64_t (*)(std::int64_t local_ms);

class DatePartNode : public ExpressionNode {
  public:
    DatePartNode(DatePart part, std::string name, NodePtr date, NodePtr zone, std::string path)
        : part_(part), name_(std::move(name)), date_(std::move(date)), zone_(std::move(zone)),
          path_(std::move(path)) {}

    Result<BsonView> evaluate(Evaluation& evaluation) const override {
        TOMBOLO_TRY_VOID(evaluation.step());
        TOMBOLO_TRY(const BsonView date, date_->evaluate(evaluation));
        BsonView zone;
        if (zone_) {
            TOMBOLO_TRY(zone, zone_->evaluate(evaluation));
        }
        const std::array<BsonView, 2> values = {date, zone};
        const Arguments arguments{evaluation, values, zone_ ? 3U : 1U};
        const auto offset = zone_offset(arguments, 1, name_);
        if (!offset) {
            return offset.error().within(path_);
        }
        if (date.is_nullish() || !*offset) {
            return BsonView::null();
        }
        const auto ms = date_ms(date, name_);
        if (!ms) {
            return ms.error().within(path_);
        }
        const std::int64_t value = part_(*ms + **offset);
        return name_ == "$isoWeekYear" ? evaluation.int64(value) : evaluation.integer(value);
    }

  private:
    DatePart part_;
    std::string name_;
    NodePtr date_;
    NodePtr zone_;
    std::string path_;
};

const std::unordered_map<std::string_view, DatePart>& date_parts() {
    static const std::unordered_map<std::string_view, DatePart> parts = {
        {"$year", [](std::int64_t ms) { return split_date(ms).year; }},
        {"$month", [](std::int64_t ms) { return split_date(ms).month; }},
        {"$dayOfMonth", [](std::int64_t ms) { return split_date(ms).day; }},
        {"$hour", [](std::int64_t ms) { return split_date(ms).hour; }},
        {"$minute", [](std::int64_t ms) { return split_date(ms).minute; }},
        {"$second", [](std::int64_t ms) { return split_date(ms).second; }},
        {"$millisecond", [](std::int64_t ms) { return split_date(ms).millisecond; }},
        {"$dayOfYear", [](std::int64_t ms) { return day_of_year(ms); }},
        {"$dayOfWeek", [](std::int64_t ms) { return day_of_week(ms); }},
        {"$week", [](std::int64_t ms) { return week_of_year(ms); }},
        {"$isoWeek", [](std::int64_t ms) { return iso_week_date(ms).week; }},
        {"$isoWeekYear", [](std::int64_t ms) { return iso_week_date(ms).year; }},
        {"$isoDayOfWeek", [](std::int64_t ms) { return iso_week_date(ms).day; }},
    };
    return parts;
}

Result<NodePtr> make_date_part(Compiler& compiler, BsonView spec, const std::string& path) {
    const std::size_t dollar = path.rfind('$');
    std::string name = path.substr(dollar);
    const auto part = date_parts().find(name);
    BsonView date = spec;
    NodePtr date_node;
    NodePtr zone_node;
    if (spec.is_document() && !spec.as_document().find("date").is_missing()) {
        constexpr std::array<std::string_view, 2> names = {"date", "?timezone"};
        TOMBOLO_TRY(auto nodes, compiler.compile_named(spec, names, path));
        date_node = std::move(nodes[0]);
        zone_node = std::move(nodes[1]);
    } else {
        if (spec.is_array()) {
            if (spec.as_document().count() != 1) {
                return invalid_expression(fmt::format("{} takes 1 argument", name), path);
            }
            date = spec.as_document().at(0);
        }
        TOMBOLO_TRY(date_node, compiler.compile(date, path));
    }
    return NodePtr(std::make_unique<DatePartNode>(
        part->second, std::move(name), std::move(date_node), std::move(zone_node), path));
}

Result<BsonView> date_to_string(const Arguments& arguments) {
    enum : std::size_t { date, format, timezone, on_null };
    TOMBOLO_TRY(const auto offset, zone_offset(arguments, timezone, "$dateToString"));
    if (arguments[date].is_nullish()) {
        return arguments.has(on_null) ? arguments[on_null] : BsonView::null();
    }
    if (!offset || (arguments.has(format) && arguments[format].is_nullish())) {
        return BsonView::null();
    }
    std::string_view pattern =
        arguments.has(timezone) && *offset != 0 ? "%Y-%m-%dT%H:%M:%S.%L" : "%Y-%m-%dT%H:%M:%S.%LZ";
    if (arguments.has(format)) {
        if (!arguments[format].is_string()) {
            return failed("the format of $dateToString must be a string");
        }
        pattern = arguments[format].as_string();
    }
    TOMBOLO_TRY(const std::int64_t ms, date_ms(arguments[date], "$dateToString"));
    TOMBOLO_TRY(const std::string text, format_date(ms + *offset, *offset, pattern));
    return arguments.evaluation.string(text);
}

Result<BsonView> date_from_string(const Arguments& arguments) {
    enum : std::size_t { text, format, timezone, on_error, on_null };
    if (arguments[text].is_nullish()) {
        return arguments.has(on_null) ? arguments[on_null] : BsonView::null();
    }
    std::optional<std::int64_t> offset;
    if (arguments.has(timezone)) {
        TOMBOLO_TRY(offset, zone_offset(arguments, timezone, "$dateFromString"));
        if (!offset) {
            return BsonView::null();
        }
    }
    std::optional<std::string_view> pattern;
    if (arguments.has(format)) {
        if (arguments[format].is_nullish()) {
            return BsonView::null();
        }
        if (!arguments[format].is_string()) {
            return failed("the format of $dateFromString must be a string");
        }
        pattern = arguments[format].as_string();
    }
    const auto parsed = [&]() -> Result<std::int64_t> {
        if (!arguments[text].is_string()) {
            return failed(fmt::format("$dateFromString takes a string, not {}",
                                      type_alias(arguments[text].type())));
        }
        return parse_date(arguments[text].as_string(), pattern, offset);
    }();
    if (!parsed) {
        return arguments.has(on_error) ? arguments[on_error] : Result<BsonView>(parsed.error());
    }
    return arguments.evaluation.date(*parsed);
}

Result<BsonView> shift_date(const Arguments& arguments, bool backwards, std::string_view name) {
    enum : std::size_t { start, unit_name, amount, timezone };
    TOMBOLO_TRY(const auto unit, unit_argument(arguments[unit_name], name));
    TOMBOLO_TRY(const auto offset, zone_offset(arguments, timezone, name));
    if (arguments[start].is_nullish() || arguments[amount].is_nullish() || !unit || !offset) {
        return BsonView::null();
    }
    TOMBOLO_TRY(const std::int64_t ms, date_ms(arguments[start], name));
    std::int64_t count = 0;
    if (!arguments[amount].is_number() || !arguments[amount].to_int64(count) ||
        count == std::numeric_limits<std::int64_t>::min()) {
        return failed(fmt::format("the amount of {} must be a whole number", name));
    }
    TOMBOLO_TRY(const std::int64_t local,
                add_to_date(ms + *offset, *unit, backwards ? -count : count));
    return arguments.evaluation.date(local - *offset);
}

Result<BsonView> date_add(const Arguments& arguments) {
    return shift_date(arguments, false, "$dateAdd");
}

Result<BsonView> date_subtract(const Arguments& arguments) {
    return shift_date(arguments, true, "$dateSubtract");
}

Result<BsonView> date_diff(const Arguments& arguments) {
    enum : std::size_t { start, end, unit_name, timezone, start_of_week };
    TOMBOLO_TRY(const auto unit, unit_argument(arguments[unit_name], "$dateDiff"));
    TOMBOLO_TRY(const auto offset, zone_offset(arguments, timezone, "$dateDiff"));
    TOMBOLO_TRY(const auto week, week_start(arguments, start_of_week, "$dateDiff"));
    if (arguments[start].is_nullish() || arguments[end].is_nullish() || !unit || !offset || !week) {
        return BsonView::null();
    }
    TOMBOLO_TRY(const std::int64_t first, date_ms(arguments[start], "$dateDiff"));
    TOMBOLO_TRY(const std::int64_t last, date_ms(arguments[end], "$dateDiff"));
    return arguments.evaluation.int64(
        date_difference(first + *offset, last + *offset, *unit, *week));
}

Result<BsonView> date_trunc(const Arguments& arguments) {
    enum : std::size_t { date, unit_name, bin_size, timezone, start_of_week };
    TOMBOLO_TRY(const auto unit, unit_argument(arguments[unit_name], "$dateTrunc"));
    TOMBOLO_TRY(const auto offset, zone_offset(arguments, timezone, "$dateTrunc"));
    TOMBOLO_TRY(const auto week, week_start(arguments, start_of_week, "$dateTrunc"));
    std::int64_t bin = 1;
    if (arguments.has(bin_size)) {
        if (arguments[bin_size].is_nullish()) {
            return BsonView::null();
        }
        if (!arguments[bin_size].is_number() || !arguments[bin_size].to_int64(bin)) {
            return failed("the binSize of $dateTrunc must be a whole number");
        }
    }
    if (arguments[date].is_nullish() || !unit || !offset || !week) {
        return BsonView::null();
    }
    TOMBOLO_TRY(const std::int64_t ms, date_ms(arguments[date], "$dateTrunc"));
    TOMBOLO_TRY(const std::int64_t local, truncate_date(ms + *offset, *unit, bin, *week));
    return arguments.evaluation.date(local - *offset);
}

Result<BsonView> date_to_parts(const Arguments& arguments) {
    enum : std::size_t { date, timezone, iso8601 };
    TOMBOLO_TRY(const auto offset, zone_offset(arguments, timezone, "$dateToParts"));
    if (arguments.has(iso8601) && !arguments[iso8601].is_nullish() &&
        arguments[iso8601].type() != BsonType::boolean) {
        return failed("the iso8601 of $dateToParts must be a boolean");
    }
    if (arguments[date].is_nullish() || !offset ||
        (arguments.has(iso8601) && arguments[iso8601].is_nullish())) {
        return BsonView::null();
    }
    TOMBOLO_TRY(const std::int64_t ms, date_ms(arguments[date], "$dateToParts"));
    const std::int64_t local = ms + *offset;
    const CalendarParts parts = split_date(local);
    BsonWriter writer;
    const auto write = [&writer](std::string_view name, std::int64_t value) {
        writer.append_int32(name, static_cast<std::int32_t>(value));
    };
    if (arguments[iso8601].truthy()) {
        const IsoWeekDate iso = iso_week_date(local);
        write("isoWeekYear", iso.year);
        write("isoWeek", iso.week);
        write("isoDayOfWeek", iso.day);
    } else {
        write("year", parts.year);
        write("month", parts.month);
        write("day", parts.day);
    }
    write("hour", parts.hour);
    write("minute", parts.minute);
    write("second", parts.second);
    write("millisecond", parts.millisecond);
    return arguments.evaluation.document(std::move(writer));
}

Result<BsonView> date_from_parts(const Arguments& arguments) {
    enum : std::size_t { year, month, day, iso_year, iso_week, iso_day, hour, minute, second, ms };
    constexpr std::size_t timezone = 10;
    TOMBOLO_TRY(const auto offset, zone_offset(arguments, timezone, "$dateFromParts"));
    const bool iso = arguments.has(iso_year);
    if (iso == arguments.has(year)) {
        return failed("$dateFromParts needs either year or isoWeekYear");
    }
    if (iso ? (arguments.has(month) || arguments.has(day))
            : (arguments.has(iso_week) || arguments.has(iso_day))) {
        return failed("$dateFromParts cannot mix parts of the calendar and of ISO weeks");
    }
    std::array<std::int64_t, 10> parts = {1970, 1, 1, 1970, 1, 1, 0, 0, 0, 0};
    bool any_null = !offset.has_value();
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (!arguments.has(i)) {
            continue;
        }
        if (arguments[i].is_nullish()) {
            any_null = true;
        } else if (!arguments[i].is_number() || !arguments[i].to_int64(parts[i])) {
            return failed("the parts of $dateFromParts must be whole numbers");
        }
    }
    if (any_null) {
        return BsonView::null();
    }
    const std::int64_t the_year = parts[iso ? iso_year : year];
    if (the_year < 1 || the_year > 9999) {
        return failed("the year of $dateFromParts must lie between 1 and 9999");
    }
    CalendarParts calendar{parts[year],   parts[month],  parts[day], parts[hour],
                           parts[minute], parts[second], parts[ms]};
    const Result<std::int64_t> local =
        iso ? join_iso_week_date({parts[iso_year], parts[iso_week], parts[iso_day]}, calendar)
            : join_date(calendar);
    if (!local) {
        return local.error();
    }
    return arguments.evaluation.date(*local - *offset);
}

constexpr std::array named = std::to_array<NamedOperator>({
    {"$dateToString", {"date", "?format", "?timezone", "?onNull"}, date_to_string},
    {"$dateFromString",
     {"dateString", "?format", "?timezone", "?onError", "?onNull"},
     date_from_string},
    {"$dateAdd", {"startDate", "unit", "amount", "?timezone"}, date_add},
    {"$dateSubtract", {"startDate", "unit", "amount", "?timezone"}, date_subtract},
    {"$dateDiff", {"startDate", "endDate", "unit", "?timezone", "?startOfWeek"}, date_diff},
    {"$dateTrunc", {"date", "unit", "?binSize", "?timezone", "?startOfWeek"}, date_trunc},
    {"$dateToParts", {"date", "?timezone", "?iso8601"}, date_to_parts},
    {"$dateFromParts",
     {"?year", "?month", "?day", "?isoWeekYear", "?isoWeek", "?isoDayOfWeek", "?hour", "?minute",
      "?second", "?millisecond", "?timezone"},
     date_from_parts},
});

} // namespace

std::span<const NamedOperator> date_named_operators() noexcept {
    return named;
}

SpecialForm find_date_part(std::string_view name) noexcept {
    return date_parts().count(name) != 0 ? make_date_part : nullptr;
}

} // namespace tombolo::mql::detail
