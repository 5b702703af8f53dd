#include "server/daemon/metrics.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace tombolo::server {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily family(std::string name, std::string help, MetricType type) {
    MetricFamily out;
    out.name = std::move(name);
    out.help = std::move(help);
    out.type = type;
    return out;
}

MetricFamily single(std::string name, std::string help, MetricType type, std::uint64_t value) {
    MetricFamily out = family(std::move(name), std::move(help), type);
    ClientMetric metric;
    metric.counter.value = static_cast<double>(value);
    metric.gauge.value = static_cast<double>(value);
    out.metric.push_back(std::move(metric));
    return out;
}

void add_functions(const functions::FunctionCounts& counts, std::vector<MetricFamily>& families) {
    const auto add = [&](std::string_view name, std::string_view help, MetricType type,
                         std::uint64_t value) {
        families.push_back(
            single("tombolo_function" + std::string(name), std::string(help), type, value));
    };
    add("_calls_total", "Calls of user functions", MetricType::Counter, counts.calls);
    add("_failures_total", "Calls of user functions that failed", MetricType::Counter,
        counts.failures);
    MetricFamily seconds = family("tombolo_function_seconds_total", "Time spent in user functions",
                                  MetricType::Counter);
    ClientMetric metric;
    metric.counter.value = static_cast<double>(counts.micros) / 1e6;
    seconds.metric.push_back(std::move(metric));
    families.push_back(std::move(seconds));
    add("_workers", "Node.js processes", MetricType::Gauge, counts.workers);
    add("_workers_busy", "Node.js processes in a call", MetricType::Gauge, counts.busy);
    add("_workers_started_total", "Node.js processes started", MetricType::Counter,
        counts.workers_started);
    add("_workers_killed_total", "Node.js processes ended for a limit", MetricType::Counter,
        counts.workers_killed);
    add("_workers_crashed_total", "Node.js processes that ended by themselves in a call",
        MetricType::Counter, counts.workers_crashed);
}

} // namespace

std::string Metrics::text() const {
    std::vector<MetricFamily> families;
    MetricFamily requests = family("tombolo_http_requests_total",
                                   "Requests answered, by route and status", MetricType::Counter);
    MetricFamily seconds =
        family("tombolo_http_request_seconds_total",
               "Time from a request's last byte to its response", MetricType::Counter);
    for (const api::RequestCount& count : dispatcher_.request_counts()) {
        ClientMetric metric;
        metric.label = {{"route", count.pattern}, {"status", std::to_string(count.status)}};
        metric.counter.value = static_cast<double>(count.count);
        requests.metric.push_back(metric);
        metric.counter.value = static_cast<double>(count.micros) / 1e6;
        seconds.metric.push_back(metric);
    }
    families.push_back(std::move(requests));
    families.push_back(std::move(seconds));
    if (const http::Server* server = server_) {
        const http::ServerCounts counts = server->counts();
        families.push_back(single("tombolo_http_connections", "Open connections", MetricType::Gauge,
                                  counts.connections_open));
        families.push_back(single("tombolo_http_requests_running", "Requests being answered",
                                  MetricType::Gauge, counts.requests_running));
        families.push_back(single("tombolo_http_refused_total",
                                  "Requests and connections refused for overload",
                                  MetricType::Counter, counts.requests_refused));
    }
    const store::StoreStatistics statistics = store_.statistics();
    families.push_back(single("tombolo_store_commits_total", "Transactions made durable",
                              MetricType::Counter, statistics.commits));
    families.push_back(single("tombolo_store_groups_total", "Synced writes that carried them",
                              MetricType::Counter, statistics.groups));
    families.push_back(single("tombolo_store_disk_bytes", "Size of the store's data files",
                              MetricType::Gauge, statistics.disk_bytes));
    families.push_back(single("tombolo_store_version", "Newest version", MetricType::Gauge,
                              number(store_.newest_version())));
    add_functions(functions_.counts(), families);
    add_sync(families);
    add_alerts(families);
    return prometheus::TextSerializer().Serialize(families);
}

void Metrics::add_sync(std::vector<MetricFamily>& families) const {
    const sync::Counters& counters = sync_.counters();
    const auto add = [&](const char* name, const char* help, MetricType type, std::uint64_t value) {
        families.push_back(single(std::string("tombolo_sync_") + name, help, type, value));
    };
    add("connections", "Open sync connections", MetricType::Gauge, counters.connections_open);
    add("connections_total", "Sync connections accepted", MetricType::Counter,
        counters.connections_total);
    add("bindings", "Files bound on them", MetricType::Gauge, counters.bindings_open);
    add("sessions_total", "Sync sessions identified", MetricType::Counter, counters.sessions_total);
    add("messages_received_total", "Sync messages from clients", MetricType::Counter,
        counters.messages_in);
    add("messages_sent_total", "Sync messages to clients", MetricType::Counter,
        counters.messages_out);
    add("received_bytes_total", "Bytes of sync messages from clients", MetricType::Counter,
        counters.bytes_in);
    add("sent_bytes_total", "Bytes of sync messages to clients", MetricType::Counter,
        counters.bytes_out);
    add("uploads_total", "UPLOAD messages", MetricType::Counter, counters.uploads);
    add("downloads_total", "DOWNLOAD messages", MetricType::Counter, counters.downloads);
    add("errors_total", "Errors sent to sync clients", MetricType::Counter, counters.errors_sent);

    struct Number {
        const char* name;
        const char* help;
        MetricType type;
        std::uint64_t sync::EngineStatistics::*value;
    };
    using sync::EngineStatistics;
    for (const Number& number :
         {Number{"app_version", "Newest durable server version", MetricType::Gauge,
                 &EngineStatistics::server_version},
          Number{"app_sessions", "Identified sessions", MetricType::Gauge,
                 &EngineStatistics::sessions},
          Number{"app_changesets_total", "Changesets integrated", MetricType::Counter,
                 &EngineStatistics::changesets},
          Number{"app_merges_total", "Changesets that met another", MetricType::Counter,
                 &EngineStatistics::merges},
          Number{"app_refused_objects_total", "Writes undone by a compensating write",
                 MetricType::Counter, &EngineStatistics::refused_objects},
          Number{"app_refused_uploads_total", "UPLOADs that ended their session with an error",
                 MetricType::Counter, &EngineStatistics::refused_uploads},
          Number{"app_outside_changes_total", "Documents written by others than devices",
                 MetricType::Counter, &EngineStatistics::outside_changes},
          Number{"app_unsyncable_writes_total", "Such writes that left a document no device gets",
                 MetricType::Counter, &EngineStatistics::unsyncable_writes},
          Number{"app_unsynced_documents", "Documents that no device gets", MetricType::Gauge,
                 &EngineStatistics::unsynced_documents},
          Number{"app_batches_total", "Integrator commits", MetricType::Counter,
                 &EngineStatistics::batches}}) {
        MetricFamily out =
            family(std::string("tombolo_sync_") + number.name, number.help, number.type);
        for (const auto& app : sync_.statistics()) {
            ClientMetric metric;
            metric.label = {{"app", app.client_app_id}};
            metric.counter.value = static_cast<double>(app.engine.*number.value);
            metric.gauge.value = metric.counter.value;
            out.metric.push_back(std::move(metric));
        }
        families.push_back(std::move(out));
    }
}

void Metrics::add_alerts(std::vector<MetricFamily>& families) const {
    MetricFamily raised = family("tombolo_alerts_total",
                                 "Alerts raised, by app (empty: the "
                                 "server) and kind",
                                 MetricType::Counter);
    for (const Alerts::Count& count : alerts_.counts()) {
        ClientMetric metric;
        metric.label = {{"app", count.app_name}, {"kind", count.kind}};
        metric.counter.value = static_cast<double>(count.raised);
        raised.metric.push_back(std::move(metric));
    }
    families.push_back(std::move(raised));
    families.push_back(single("tombolo_alert_posts_failed_total",
                              "Alerts that the webhook did not take", MetricType::Counter,
                              alerts_.posts_failed()));
}

void Metrics::handle(http::Request request, http::Responder respond) {
    if (request.path == "/health") {
        respond(http::Response::text(200, "ok\n"));
    } else if (request.path == "/ready") {
        respond(ready_ ? http::Response::text(200, "ready\n")
                       : http::Response::text(503, "not ready\n"));
    } else if (request.path == "/metrics") {
        http::Response response = http::Response::text(200, text());
        response.headers.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
        respond(std::move(response));
    } else {
        respond(http::Response::text(404, "there are /metrics, /health and /ready\n"));
    }
}

http::Response Metrics::refuse(int status, std::string_view reason,
                               const http::Request& /*request*/) const {
    return http::Response::text(status, std::string(reason) + "\n");
}

} // namespace tombolo::server
