// The text forms of dates: format_date, parse_date, parse_time_zone.

#include "mql/expression_calendar.hpp"

#include <array>
#include <cstdlib>

#include <fmt/format.h>

#include "core/civil_date.hpp"

namespace tombolo::mql {

namespace {

constexpr std::array<std::string_view, 12> month_names = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};

std::string offset_text(std::int64_t offset_ms) {
    const std::int64_t minutes = std::abs(offset_ms) / ms_per_minute;
    return fmt::format("{}{:02}{:02}", offset_ms < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

/// False when the directive is unknown.
bool append_directive(std::string& out, char directive, std::int64_t local_ms,
                      std::int64_t offset_ms, const CalendarParts& parts) {
    switch (directive) {
    case '%':
        out += '%';
        return true;
    case 'Y':
        out += fmt::format("{:04}", parts.year);
        return true;
    case 'm':
        out += fmt::format("{:02}", parts.month);
        return true;
    case 'd':
        out += fmt::format("{:02}", parts.day);
        return true;
    case 'H':
        out += fmt::format("{:02}", parts.hour);
        return true;
    case 'M':
        out += fmt::format("{:02}", parts.minute);
        return true;
    case 'S':
        out += fmt::format("{:02}", parts.second);
        return true;
    case 'L':
        out += fmt::format("{:03}", parts.millisecond);
        return true;
    case 'j':
        out += fmt::format("{:03}", day_of_year(local_ms));
        return true;
    case 'w':
        out += fmt::format("{}", day_of_week(local_ms));
        return true;
    case 'u':
        out += fmt::format("{}", iso_week_date(local_ms).day);
        return true;
    case 'U':
        out += fmt::format("{:02}", week_of_year(local_ms));
        return true;
    case 'V':
        out += fmt::format("{:02}", iso_week_date(local_ms).week);
        return true;
    case 'G':
        out += fmt::format("{:04}", iso_week_date(local_ms).year);
        return true;
    case 'z':
        out += offset_text(offset_ms);
        return true;
    case 'Z':
        out += fmt::format("{}", offset_ms / ms_per_minute);
        return true;
    case 'b':
        out += month_names[static_cast<std::size_t>(parts.month - 1)].substr(0, 3);
        return true;
    case 'B':
        out += month_names[static_cast<std::size_t>(parts.month - 1)];
        return true;
    default:
        return false;
    }
}

/// A cursor over the text of a date. Every take_* returns false and leaves the cursor anywhere when
/// it does not fit.
class DateText {
  public:
    explicit DateText(std::string_view text) : rest_(text) {}

    bool at_end() const noexcept { return rest_.empty(); }
    char peek() const noexcept { return rest_.empty() ? '\0' : rest_.front(); }

    bool take(char expected) noexcept {
        if (peek() != expected || rest_.empty()) {
            return false;
        }
        rest_.remove_prefix(1);
        return true;
    }

    bool take_digits(std::size_t least, std::size_t most, std::int64_t& value) noexcept {
        value = 0;
        std::size_t count = 0;
        while (count < most && peek() >= '0' && peek() <= '9') {
            value = value * 10 + (peek() - '0');
            rest_.remove_prefix(1);
            ++count;
        }
        return count >= least;
    }

    /// ".5" is 500 ms: digits beyond the third are dropped.
    bool take_fraction(std::int64_t& ms) noexcept {
        ms = 0;
        std::int64_t scale = 100;
        bool any = false;
        while (peek() >= '0' && peek() <= '9') {
            ms += (peek() - '0') * scale;
            scale /= 10;
            any = true;
            rest_.remove_prefix(1);
        }
        return any;
    }

    bool take_offset(std::int64_t& offset_ms) noexcept {
        if (take('Z') || take('z')) {
            offset_ms = 0;
            return true;
        }
        const bool negative = peek() == '-';
        if (!take('+') && !take('-')) {
            return false;
        }
        std::int64_t hours = 0;
        std::int64_t minutes = 0;
        if (!take_digits(2, 2, hours)) {
            return false;
        }
        const bool colon = take(':');
        if (!take_digits(2, 2, minutes) && (colon || minutes != 0)) {
            return false;
        }
        if (minutes > 59) {
            return false;
        }
        offset_ms = (hours * 60 + minutes) * ms_per_minute * (negative ? -1 : 1);
        return true;
    }

    bool take_month_name(bool full, std::int64_t& month) noexcept {
        for (std::size_t i = 0; i < month_names.size(); ++i) {
            const std::string_view name = full ? month_names[i] : month_names[i].substr(0, 3);
            if (rest_.substr(0, name.size()) == name) {
                rest_.remove_prefix(name.size());
                month = static_cast<std::int64_t>(i) + 1;
                return true;
            }
        }
        return false;
    }

  private:
    std::string_view rest_;
};

struct ParsedDate {
    CalendarParts parts;
    std::optional<IsoWeekDate> iso;
    std::optional<std::int64_t> day_of_year;
    std::optional<std::int64_t> offset_ms;

    IsoWeekDate& iso_date() {
        if (!iso) {
            iso.emplace();
        }
        return *iso;
    }
};

bool take_directive(DateText& text, char directive, ParsedDate& out) {
    std::int64_t offset = 0;
    switch (directive) {
    case '%':
        return text.take('%');
    case 'Y':
        return text.take_digits(4, 4, out.parts.year);
    case 'm':
        return text.take_digits(2, 2, out.parts.month);
    case 'd':
        return text.take_digits(2, 2, out.parts.day);
    case 'H':
        return text.take_digits(2, 2, out.parts.hour);
    case 'M':
        return text.take_digits(2, 2, out.parts.minute);
    case 'S':
        return text.take_digits(2, 2, out.parts.second);
    case 'L':
        return text.take_fraction(out.parts.millisecond);
    case 'j':
        return text.take_digits(3, 3, out.day_of_year.emplace());
    case 'G':
        return text.take_digits(4, 4, out.iso_date().year);
    case 'V':
        return text.take_digits(2, 2, out.iso_date().week);
    case 'u':
        return text.take_digits(1, 1, out.iso_date().day);
    case 'z':
        if (!text.take_offset(offset)) {
            return false;
        }
        out.offset_ms = offset;
        return true;
    case 'Z': {
        const bool negative = text.peek() == '-';
        if (!text.take('+') && !text.take('-')) {
            return false;
        }
        if (!text.take_digits(1, 4, offset)) {
            return false;
        }
        out.offset_ms = offset * ms_per_minute * (negative ? -1 : 1);
        return true;
    }
    case 'b':
        return text.take_month_name(false, out.parts.month);
    case 'B':
        return text.take_month_name(true, out.parts.month);
    default:
        return false;
    }
}

bool parse_with_format(DateText& text, std::string_view format, ParsedDate& out) {
    for (std::size_t i = 0; i < format.size(); ++i) {
        if (format[i] != '%') {
            if (!text.take(format[i])) {
                return false;
            }
            continue;
        }
        ++i;
        if (i == format.size() || !take_directive(text, format[i], out)) {
            return false;
        }
    }
    return text.at_end();
}

/// yyyy-mm-dd, then optionally T or a space, hh:mm, :ss, a fraction, and an offset.
bool parse_iso(DateText& text, ParsedDate& out) {
    CalendarParts& parts = out.parts;
    if (!text.take_digits(4, 4, parts.year)) {
        return false;
    }
    if (text.at_end()) {
        return true;
    }
    if (!text.take('-') || !text.take_digits(2, 2, parts.month)) {
        return false;
    }
    if (text.take('-') && !text.take_digits(2, 2, parts.day)) {
        return false;
    }
    if (text.at_end()) {
        return true;
    }
    if (!text.take('T') && !text.take('t') && !text.take(' ')) {
        return false;
    }
    if (!text.take_digits(2, 2, parts.hour) || !text.take(':') ||
        !text.take_digits(2, 2, parts.minute)) {
        return false;
    }
    if (text.take(':')) {
        if (!text.take_digits(2, 2, parts.second)) {
            return false;
        }
        if (text.take('.') && !text.take_fraction(parts.millisecond)) {
            return false;
        }
    }
    while (text.take(' ')) {
    }
    if (!text.at_end()) {
        std::int64_t offset = 0;
        if (!text.take_offset(offset)) {
            return false;
        }
        out.offset_ms = offset;
    }
    return text.at_end();
}

/// Text must name a real date: no thirteenth month, no February 30th.
bool parts_exist(const CalendarParts& parts) {
    if (parts.month < 1 || parts.month > 12 || parts.day < 1 || parts.hour > 23 ||
        parts.minute > 59 || parts.second > 59) {
        return false;
    }
    const std::int64_t day = days_from_civil(parts.year, parts.month, parts.day);
    return day < days_from_civil(parts.year, parts.month + 1, 1);
}

Error not_a_date(std::string_view text) {
    return Error(ErrorCode::mql_failed,
                 fmt::format("\"{}\" is not a date of the expected form", text.substr(0, 60)));
}

Result<std::int64_t> joined(ParsedDate& date, std::string_view text) {
    if (!parts_exist(date.parts)) {
        return not_a_date(text);
    }
    if (date.iso) {
        return join_iso_week_date(*date.iso, date.parts);
    }
    if (date.day_of_year) {
        date.parts.month = 1;
        date.parts.day = *date.day_of_year;
    }
    return join_date(date.parts);
}

} // namespace

Result<std::int64_t> parse_time_zone(std::string_view text) {
    if (text == "UTC" || text == "GMT" || text == "Z" || text == "Etc/UTC" || text == "Etc/GMT") {
        return std::int64_t{0};
    }
    DateText cursor(text);
    std::int64_t offset = 0;
    if (!cursor.take_offset(offset) || !cursor.at_end()) {
        return Error(ErrorCode::mql_unsupported,
                     fmt::format("time zone \"{}\" is not supported; use UTC or an offset such as "
                                 "\"+02:00\"",
                                 text.substr(0, 60)));
    }
    return offset;
}

Result<std::string> format_date(std::int64_t local_ms, std::int64_t offset_ms,
                                std::string_view format) {
    const CalendarParts parts = split_date(local_ms);
    if (parts.year < 0 || parts.year > 9999) {
        return Error(ErrorCode::mql_failed, "a date outside the years 0 to 9999 has no text form");
    }
    std::string out;
    for (std::size_t i = 0; i < format.size(); ++i) {
        if (format[i] != '%') {
            out += format[i];
            continue;
        }
        ++i;
        if (i == format.size()) {
            return Error(ErrorCode::mql_failed, "a date format ends with a lone '%'");
        }
        if (!append_directive(out, format[i], local_ms, offset_ms, parts)) {
            return Error(ErrorCode::mql_failed,
                         fmt::format("'%{}' is not a directive of a date format", format[i]));
        }
    }
    return out;
}

Result<std::int64_t> parse_date(std::string_view text, std::optional<std::string_view> format,
                                std::optional<std::int64_t> zone_offset_ms) {
    ParsedDate date;
    DateText cursor(text);
    const bool fits = format ? parse_with_format(cursor, *format, date) : parse_iso(cursor, date);
    if (!fits) {
        return not_a_date(text);
    }
    if (date.offset_ms && zone_offset_ms) {
        return Error(ErrorCode::mql_failed,
                     "a date text with a time zone of its own takes no timezone argument");
    }
    TOMBOLO_TRY(const std::int64_t local_ms, joined(date, text));
    return local_ms - date.offset_ms.value_or(zone_offset_ms.value_or(0));
}

} // namespace tombolo::mql
