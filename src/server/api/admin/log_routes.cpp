// The app's logs (admin-api-and-config.md R17).

#include <array>
#include <cmath>
#include <cstdio>

#include "core/civil_date.hpp"
#include "server/api/admin/admin_api.hpp"
#include "server/api/admin/parts.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::api::admin {

namespace json = boost::json;
using http::Method;

namespace {

// "2026-11-22T01:02:03[.456][Z|+01:00]" or whole milliseconds.
std::optional<std::int64_t> parse_time(const std::string& text) {
    int year = 0;
    int month = 0;
    int day = 0;
    int hour = 0;
    int minute = 0;
    double second = 0;
    int used = 0;
    if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%lf%n", &year, &month, &day, &hour, &minute,
                    &second, &used) != 6 ||
        month < 1 || month > 12 || day < 1 || day > 31 || hour > 24 || minute > 59 ||
        second >= 61) {
        return std::nullopt;
    }
    std::int64_t ms = days_from_civil(year, month, day) * 86'400'000 +
                      std::int64_t{hour} * 3'600'000 + std::int64_t{minute} * 60'000 +
                      std::llround(second * 1000);
    const std::string zone = text.substr(static_cast<std::size_t>(used));
    char sign = 0;
    int zone_hour = 0;
    int zone_minute = 0;
    if (std::sscanf(zone.c_str(), "%c%2d:%2d", &sign, &zone_hour, &zone_minute) == 3) {
        const std::int64_t offset = (std::int64_t{zone_hour} * 60 + zone_minute) * 60'000;
        ms -= sign == '-' ? -offset : offset;
    }
    return ms;
}

std::size_t count_of(const AdminCall& call, const char* name, std::size_t fallback,
                     std::size_t max) {
    const std::string text = call.query(name);
    if (text.empty()) {
        return fallback;
    }
    std::size_t value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9' || value > 1'000'000) {
            throw ApiException(bad_request("'" + std::string(name) + "' must be a whole number"));
        }
        value = value * 10 + static_cast<std::size_t>(c - '0');
    }
    return std::min(value, max);
}

std::vector<std::string> types_of(const std::string& list) {
    std::vector<std::string> out;
    std::size_t from = 0;
    while (from < list.size()) {
        const std::size_t end = std::min(list.find(',', from), list.size());
        if (end > from) {
            out.push_back(list.substr(from, end - from));
        }
        from = end + 1;
    }
    return out;
}

std::int64_t integer(const json::object& object, std::string_view key) {
    const json::value* value = object.if_contains(key);
    return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

http::Response logs(AdminCall& call) {
    server::AppLogQuery query;
    query.request_id = call.query("co_id");
    query.user_id = call.query("user_id");
    const std::string errors = call.query("errors_only");
    query.errors_only = !errors.empty() && errors != "false";
    query.types = types_of(call.query("type"));
    query.after_ms = time_of(call, "start_date");
    query.until_ms = time_of(call, "end_date");
    query.skip = count_of(call, "skip", 0, 1'000'000);
    query.limit = std::max<std::size_t>(count_of(call, "limit", 100, 100), 1);
    server::AppLogPage page;
    if (call.context().auth.app_log != nullptr) {
        page = call.context().auth.app_log->find(call.app().id, query).value();
    }
    json::array entries;
    for (const json::value& one : page.entries) {
        json::object entry = one.get_object();
        entry["group_id"] = group_id().to_string();
        entry["started"] = iso_time(integer(entry, "started_ms"));
        entry["completed"] = iso_time(integer(entry, "completed_ms"));
        entry.stable_erase("started_ms");
        entry.stable_erase("completed_ms");
        entries.push_back(std::move(entry));
    }
    json::object out{{"logs", entries}};
    if (page.next_until_ms) {
        out["nextEndDate"] = iso_time(*page.next_until_ms);
        out["nextSkip"] = page.next_skip;
    }
    return json_response(200, out);
}

} // namespace

std::optional<std::int64_t> time_of(const AdminCall& call, const char* name) {
    const std::string text = call.query(name);
    if (text.empty()) {
        return std::nullopt;
    }
    const auto parsed = parse_time(text);
    if (!parsed) {
        throw ApiException(bad_request("'" + std::string(name) + "' must be a time in ISO 8601"));
    }
    return parsed;
}

std::string iso_time(std::int64_t unix_ms) {
    const std::int64_t day_ms = 86'400'000;
    const std::int64_t days = unix_ms / day_ms - (unix_ms % day_ms < 0 ? 1 : 0);
    const std::int64_t rest = unix_ms - days * day_ms;
    const CivilDate date = civil_from_days(days);
    std::array<char, 160> text{};
    std::snprintf(text.data(), text.size(), "%04lld-%02lld-%02lldT%02lld:%02lld:%02lld.%03lldZ",
                  static_cast<long long>(date.year), static_cast<long long>(date.month),
                  static_cast<long long>(date.day), static_cast<long long>(rest / 3'600'000),
                  static_cast<long long>(rest / 60'000 % 60),
                  static_cast<long long>(rest / 1000 % 60), static_cast<long long>(rest % 1000));
    return text.data();
}

void add_log_routes(RouteTable& table) {
    table.add(Method::get, "logs", "The app's logs, newest first", 200, logs);
}

} // namespace tombolo::api::admin
