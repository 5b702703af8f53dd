// Measurements (admin-api-and-config.md R21). Some are counted from the app's logs when they are
// asked for and reach back as far as the logs do; those of sync connections are measured since the
// server started (server/runtime/measurements.hpp). What is known only as of now is one point, that
// of now; what nothing tells has an empty series. Of milliseconds a point is the 95th percentile
// (device-sync-server.md 8.6).

#include <algorithm>
#include <array>
#include <functional>
#include <optional>

#include "server/api/admin/admin_api.hpp"
#include "server/api/admin/parts.hpp"
#include "server/runtime/json.hpp"
#include "server/store/embedded/layout.hpp"

namespace tombolo::api::admin {

namespace json = boost::json;
using http::Method;

namespace {

constexpr std::int64_t hour_ms = 3'600'000;
constexpr std::int64_t points_max = 5'000;
constexpr std::size_t page_entries = 5'000;

struct Entry {
    std::string_view type;
    bool failed = false;
    std::int64_t ms = 0;
};

struct Metric {
    std::string_view name;
    std::string_view units;
    /// What an entry adds; of milliseconds below 0: nothing. Null: no entry tells it.
    std::int64_t (*adds)(const Entry& entry) = nullptr;
    /// What it is now. Null: nobody knows.
    std::int64_t (*now)(AdminCall& call) = nullptr;
    std::optional<server::Measured> measured = std::nullopt;

    bool is_told() const { return adds != nullptr || now != nullptr || measured.has_value(); }
};

std::int64_t users(AdminCall& call) {
    const std::string prefix = "users/" + call.app().id.to_string() + "/";
    const auto snapshot = call.context().auth.store.snapshot();
    const auto cursor =
        snapshot->scan_records(store::Space::meta, prefix, store::embedded::prefix_end(prefix));
    std::int64_t found = 0;
    while (cursor->next()) {
        ++found;
    }
    cursor->status().value();
    return found;
}

bool runs_code(const Entry& entry) {
    return entry.type == "FUNCTION" || entry.type == "ENDPOINT";
}

constexpr std::string_view count = "COUNT";
constexpr std::string_view milliseconds = "MILLISECONDS";

const std::array<Metric, 56>& metrics() {
    static const std::array<Metric, 56> all{{
        {"AUTH_SUCCESSFUL_REQUESTS", count,
         [](const Entry& e) -> std::int64_t { return e.type == "AUTH" && !e.failed; }},
        {"AUTH_SUCCESSFUL_LOGIN", count,
         [](const Entry& e) -> std::int64_t { return e.type == "AUTH" && !e.failed; }},
        {"AUTH_FAILED_REQUESTS", count,
         [](const Entry& e) -> std::int64_t { return e.type == "AUTH" && e.failed; }},
        {"AUTH_RESPONSE_MS", milliseconds,
         [](const Entry& e) -> std::int64_t { return e.type == "AUTH" ? e.ms : -1; }},
        {"ENDPOINTS_SUCCESSFUL_REQUESTS", count,
         [](const Entry& e) -> std::int64_t { return e.type == "ENDPOINT" && !e.failed; }},
        {"ENDPOINTS_FAILED_REQUEST", count,
         [](const Entry& e) -> std::int64_t { return e.type == "ENDPOINT" && e.failed; }},
        {"ENDPOINTS_RESPONSE_MS", milliseconds,
         [](const Entry& e) -> std::int64_t { return e.type == "ENDPOINT" ? e.ms : -1; }},
        {"ENDPOINTS_COMPUTE_MS", milliseconds,
         [](const Entry& e) -> std::int64_t { return e.type == "ENDPOINT" ? e.ms : -1; }},
        {"SDK_SUCCESSFUL_REQUESTS", count,
         [](const Entry& e) -> std::int64_t { return e.type == "FUNCTION" && !e.failed; }},
        {"SDK_FAILED_REQUESTS", count,
         [](const Entry& e) -> std::int64_t { return e.type == "FUNCTION" && e.failed; }},
        {"SDK_FNS_RESPONSE_MS", milliseconds,
         [](const Entry& e) -> std::int64_t { return e.type == "FUNCTION" ? e.ms : -1; }},
        {"SDK_COMPUTE_MS", milliseconds,
         [](const Entry& e) -> std::int64_t { return e.type == "FUNCTION" ? e.ms : -1; }},
        {"SDK_MQL_SUCCESSFUL_REQUESTS", count,
         [](const Entry& e) -> std::int64_t { return e.type == "SERVICE_FUNCTION" && !e.failed; }},
        {"SDK_MQL_FAILED_REQUESTS", count,
         [](const Entry& e) -> std::int64_t { return e.type == "SERVICE_FUNCTION" && e.failed; }},
        {"SDK_MQL_RESPONSE_MS", milliseconds,
         [](const Entry& e) -> std::int64_t { return e.type == "SERVICE_FUNCTION" ? e.ms : -1; }},
        {"SDK_MQL_COMPUTE_MS", milliseconds,
         [](const Entry& e) -> std::int64_t { return e.type == "SERVICE_FUNCTION" ? e.ms : -1; }},
        {"OVERALL_SUCCESSFUL_REQUESTS", count,
         [](const Entry& e) -> std::int64_t { return !e.failed; }},
        {"OVERALL_FAILED_REQUESTS", count, [](const Entry& e) -> std::int64_t { return e.failed; }},
        {"OVERALL_COMPUTE_MS", milliseconds,
         [](const Entry& e) -> std::int64_t { return runs_code(e) ? e.ms : -1; }},
        {"SYNC_FAILED_REQUESTS", count,
         [](const Entry& e) -> std::int64_t { return e.type == "SYNC_ERROR"; }},
        {"AUTH_EGRESS_BYTES", "BYTES"},
        {"AUTH_TOTAL_USERS", count, nullptr, users},
        {"ENDPOINTS_EGRESS_BYTES", "BYTES"},
        {"GRAPHQL_COMPUTE_MS", milliseconds},
        {"GRAPHQL_EGRESS_BYTES", "BYTES"},
        {"GRAPHQL_FAILED_REQUESTS", count},
        {"GRAPHQL_RESPONSE_MS", milliseconds},
        {"GRAPHQL_SUCCESSFUL_REQUESTS", count},
        {"LF_RESPONSE_MS", milliseconds},
        {"OVERALL_EGRESS_BYTES", "BYTES"},
        {"OVERALL_SYNC_MINUTES", "MINUTES", nullptr, nullptr, server::Measured::connection_minutes},
        {"SDK_EGRESS_BYTES", "BYTES"},
        {"SDK_MQL_EGRESS_BYTES", "BYTES"},
        {"ACTIVE_OPEN_SYNC_SESSIONS", count, nullptr, nullptr, server::Measured::open_sessions},
        {"SYNC_SESSIONS_STARTED", count, nullptr, nullptr, server::Measured::sessions_started},
        {"SYNC_SESSIONS_ENDED", count, nullptr, nullptr, server::Measured::sessions_ended},
        {"SYNC_CLIENT_BOOTSTRAP_MS", milliseconds, nullptr, nullptr,
         server::Measured::bootstrap_ms},
        {"SYNC_CLIENT_UPLOADS_INVALID", count, nullptr, nullptr, server::Measured::invalid_uploads},
        {"SYNC_CLIENT_READS_INVALID", count, nullptr, nullptr, server::Measured::invalid_reads},
        {"SYNC_CURRENT_OPLOG_LAG_MS_SUM", milliseconds},
        {"SYNC_EGRESS_BYTES", "BYTES", nullptr, nullptr, server::Measured::egress_bytes},
        {"SYNC_SUCCESSFUL_REQUESTS", count, nullptr, nullptr, server::Measured::requests},
        {"SYNC_HISTORY_WRITE_MS", milliseconds, nullptr, nullptr, server::Measured::commit_ms},
        {"SYNC_MINUTES", "MINUTES", nullptr, nullptr, server::Measured::connection_minutes},
        {"SYNC_NUM_INTEGRATION_ATTEMPTS", count, nullptr, nullptr, server::Measured::integrations},
        {"SYNC_NUM_UNSYNCABLE_DOC", count, nullptr, nullptr, server::Measured::unsynced_documents},
        {"SYNC_NUM_UNSYNCABLE_DOC_PERCENT", "PERCENT"},
        {"SYNC_OT_MS", milliseconds, nullptr, nullptr, server::Measured::integrate_ms},
        {"SYNC_UPLOAD_PROPS_MS", milliseconds, nullptr, nullptr, server::Measured::upload_ms},
        {"SYNC_UPLOAD_PROPS_LAG_MS", milliseconds},
        {"TRIGGERS_COMPUTE_MS", milliseconds},
        {"TRIGGERS_CURRENT_OPLOG_LAG_MS_SUM", milliseconds},
        {"TRIGGERS_EGRESS_BYTES", "BYTES"},
        {"TRIGGERS_FAILED_REQUESTS", count},
        {"TRIGGERS_RESPONSE_MS", milliseconds},
        {"TRIGGERS_SUCCESSFUL_REQUESTS", count},
    }};
    return all;
}

// Usage, as bills have it; units are those of R21.
const std::array<Metric, 5>& measurements() {
    static const std::array<Metric, 5> all{{
        {"request_count", "", [](const Entry&) -> std::int64_t { return 1; }},
        {"compute_time", "HOURS",
         [](const Entry& e) -> std::int64_t { return runs_code(e) ? e.ms : 0; }},
        {"data_out", "GIGABYTES"},
        {"sync_time", "HOURS"},
        {"mem_usage", "GIGABYTE_SECONDS"},
    }};
    return all;
}

// "PT5M", "P1D", "P31D", "PT1H30M" in milliseconds; nothing for anything else or for zero.
std::optional<std::int64_t> duration_of(std::string_view text) {
    if (!text.starts_with('P')) {
        return std::nullopt;
    }
    std::int64_t total = 0;
    std::int64_t number = 0;
    bool has_number = false;
    bool in_time = false;
    for (const char c : text.substr(1)) {
        if (c >= '0' && c <= '9' && number < 1'000'000) {
            number = number * 10 + (c - '0');
            has_number = true;
            continue;
        }
        if (c == 'T' && !in_time && !has_number) {
            in_time = true;
            continue;
        }
        const std::int64_t unit = c == 'D' && !in_time  ? 24 * hour_ms
                                  : c == 'H' && in_time ? hour_ms
                                  : c == 'M' && in_time ? 60'000
                                  : c == 'S' && in_time ? 1'000
                                                        : 0;
        if (unit == 0 || !has_number) {
            return std::nullopt;
        }
        total += number * unit;
        number = 0;
        has_number = false;
    }
    return total > 0 && !has_number ? std::optional(total) : std::nullopt;
}

struct Range {
    std::int64_t start_ms = 0;
    std::int64_t end_ms = 0;
    std::int64_t step_ms = 0;
    std::string granularity;

    std::size_t points() const {
        return static_cast<std::size_t>((end_ms - start_ms + step_ms - 1) / step_ms);
    }
};

Range range_of(const AdminCall& call, std::int64_t span_ms, const std::string& granularity) {
    Range range;
    // What ended in this very millisecond counts.
    range.end_ms = time_of(call, "end").value_or(call.context().auth.now_ms() + 1);
    range.start_ms = time_of(call, "start").value_or(range.end_ms - span_ms);
    const std::string given = call.query("granularity");
    range.granularity = given.empty() ? granularity : given;
    const auto step = duration_of(range.granularity);
    if (!step) {
        throw ApiException(bad_request("'granularity' must be a duration such as PT5M or P1D"));
    }
    range.step_ms = *step;
    if (range.end_ms <= range.start_ms) {
        throw ApiException(bad_request("'end' must be later than 'start'"));
    }
    if ((range.end_ms - range.start_ms) / range.step_ms > points_max) {
        throw ApiException(
            bad_request("'granularity' is too fine for this range: more than 5000 points"));
    }
    return range;
}

// Each value of a name that a query may repeat, or list with commas.
std::vector<std::string> values_of(const std::string& query, std::string_view name) {
    std::vector<std::string> out;
    std::size_t from = 0;
    while (from < query.size()) {
        const std::size_t end = std::min(query.find('&', from), query.size());
        const std::string_view pair = std::string_view(query).substr(from, end - from);
        from = end + 1;
        std::string value;
        if (!pair.starts_with(name) || pair.size() <= name.size() || pair[name.size()] != '=' ||
            !http::percent_decode(pair.substr(name.size() + 1), true, value)) {
            continue;
        }
        std::size_t at = 0;
        while (at < value.size()) {
            const std::size_t comma = std::min(value.find(',', at), value.size());
            out.push_back(value.substr(at, comma - at));
            at = comma + 1;
        }
    }
    return out;
}

std::int64_t integer(const json::object& object, std::string_view key) {
    const json::value* value = object.if_contains(key);
    return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

// Calls `visit` with each entry of the range, and which step it is in.
void visit_entries(AdminCall& call, const Range& range,
                   const std::function<void(const Entry&, std::size_t)>& visit) {
    if (call.context().auth.app_log == nullptr) {
        return;
    }
    server::AppLogQuery query;
    query.after_ms = range.start_ms - 1;
    query.until_ms = range.end_ms - 1;
    query.limit = page_entries;
    for (;;) {
        const server::AppLogPage page =
            call.context().auth.app_log->find(call.app().id, query).value();
        for (const json::value& one : page.entries) {
            const json::object& entry = one.get_object();
            const std::int64_t completed = integer(entry, "completed_ms");
            const std::string type = server::string_or(entry, "type");
            const std::string error = server::string_or(entry, "error");
            visit({type, !error.empty(), completed - integer(entry, "started_ms")},
                  static_cast<std::size_t>(
                      std::clamp<std::int64_t>(completed - range.start_ms, 0,
                                               range.end_ms - range.start_ms - 1) /
                      range.step_ms));
        }
        if (!page.next_until_ms) {
            return;
        }
        query.until_ms = page.next_until_ms;
        query.skip = page.next_skip;
    }
}

/// The 95th percentile; sorts them.
std::int64_t percentile(std::vector<std::int64_t>& values) {
    if (values.empty()) {
        return 0;
    }
    const std::size_t rank = (values.size() * 95 + 99) / 100;
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(rank - 1);
    std::nth_element(values.begin(), at, values.end());
    return *at;
}

/// A value a step, of each metric; empty where nothing tells it.
std::vector<std::vector<std::int64_t>> values_of(AdminCall& call, const Range& range,
                                                 const std::vector<Metric>& wanted) {
    std::vector<std::vector<std::int64_t>> out(wanted.size());
    std::vector<std::vector<std::vector<std::int64_t>>> times(wanted.size());
    for (std::size_t at = 0; at < wanted.size(); ++at) {
        if (wanted[at].measured && call.context().auth.measurements != nullptr) {
            out[at] =
                call.context()
                    .auth.measurements->of(call.app().id)
                    ->series(*wanted[at].measured, range.start_ms, range.step_ms, range.points());
        } else if (wanted[at].adds != nullptr) {
            out[at].resize(range.points());
            times[at].resize(wanted[at].units == milliseconds ? range.points() : 0);
        }
    }
    visit_entries(call, range, [&](const Entry& entry, std::size_t point) {
        for (std::size_t at = 0; at < wanted.size(); ++at) {
            const std::int64_t added = wanted[at].adds == nullptr ? 0 : wanted[at].adds(entry);
            if (!times[at].empty()) {
                if (added >= 0) {
                    times[at][point].push_back(added);
                }
            } else if (wanted[at].adds != nullptr) {
                out[at][point] += added;
            }
        }
    });
    for (std::size_t at = 0; at < wanted.size(); ++at) {
        std::transform(times[at].begin(), times[at].end(), out[at].begin(), percentile);
    }
    return out;
}

http::Response answer(AdminCall& call, const Range& range, const std::vector<Metric>& wanted) {
    const std::vector<std::vector<std::int64_t>> values = values_of(call, range, wanted);
    json::array series;
    for (std::size_t at = 0; at < wanted.size(); ++at) {
        json::array points;
        for (std::size_t point = 0; point < values[at].size(); ++point) {
            json::value value = values[at][point];
            if (wanted[at].units == "HOURS") {
                value = static_cast<double>(values[at][point]) / static_cast<double>(hour_ms);
            }
            points.push_back(json::object{
                {"timestamp",
                 iso_time(range.start_ms + static_cast<std::int64_t>(point) * range.step_ms)},
                {"value", value}});
        }
        const std::int64_t now_ms = call.context().auth.now_ms();
        if (wanted[at].now != nullptr && now_ms >= range.start_ms && now_ms < range.end_ms) {
            points.push_back(
                json::object{{"timestamp", iso_time(now_ms)}, {"value", wanted[at].now(call)}});
        }
        series.push_back(json::object{{"name", wanted[at].name},
                                      {"units", wanted[at].units},
                                      {"data_points", std::move(points)}});
    }
    return json_response(200, json::object{{"group_id", group_id().to_string()},
                                           {"app_id", call.app().id.to_string()},
                                           {"app_name", call.app().config.name},
                                           {"start", iso_time(range.start_ms)},
                                           {"end", iso_time(range.end_ms)},
                                           {"granularity", range.granularity},
                                           {"measurements", std::move(series)}});
}

http::Response get_metrics(AdminCall& call) {
    const Range range = range_of(call, hour_ms, "PT5M");
    std::vector<Metric> wanted;
    for (const std::string& name : values_of(call.request().query, "metrics")) {
        const auto found = std::find_if(metrics().begin(), metrics().end(),
                                        [&](const Metric& one) { return one.name == name; });
        if (found == metrics().end()) {
            throw ApiException(bad_request("there is no metric '" + name + "'"));
        }
        wanted.push_back(*found);
    }
    if (wanted.empty()) {
        std::copy_if(metrics().begin(), metrics().end(), std::back_inserter(wanted),
                     [](const Metric& one) { return one.is_told(); });
    }
    return answer(call, range, wanted);
}

http::Response get_measurements(AdminCall& call) {
    const Range range = range_of(call, 31 * 24 * hour_ms, "P31D");
    return answer(call, range, {measurements().begin(), measurements().end()});
}

} // namespace

void add_metric_routes(RouteTable& table) {
    table.add(Method::get, "metrics", "Measurements, counted from the logs and of sync", 200,
              get_metrics);
    table.add(Method::get, "measurements", "Usage, counted from the logs", 200, get_measurements);
}

} // namespace tombolo::api::admin
