#pragma once

// The second listener: /metrics in Prometheus' text format, /health and /ready.
//
// /health answers 200 as long as the process can answer at all. /ready answers 200 when it serves
// requests, 503 while it starts or stops.

#include <atomic>

#include "server/api/dispatcher.hpp"
#include "server/app/alerts.hpp"
#include "server/functions/functions.hpp"
#include "server/http/server.hpp"
#include "server/store/store.hpp"
#include "server/sync/session/service.hpp"

namespace prometheus {
struct MetricFamily;
}

namespace tombolo::server {

class Metrics final : public http::Handler {
  public:
    Metrics(const store::Store& store, const api::Dispatcher& dispatcher,
            const functions::Functions& functions, const sync::SyncService& sync,
            const Alerts& alerts)
        : store_(store), dispatcher_(dispatcher), functions_(functions), sync_(sync),
          alerts_(alerts) {}

    /// From then on the API listener's counts are shown. It must outlive this or be taken away with
    /// nullptr.
    void show(const http::Server* server) { server_ = server; }
    void set_ready(bool ready) { ready_ = ready; }

    std::size_t body_bytes_max(http::Method /*method*/, std::string_view /*path*/) const override {
        return 0;
    }
    void handle(http::Request request, http::Responder respond) override;
    http::Response refuse(int status, std::string_view reason,
                          const http::Request& /*request*/) const override;
    void served(const http::Request& /*request*/, int /*status*/, std::size_t /*bytes*/,
                std::int64_t /*micros*/) const override {}

  private:
    std::string text() const;
    void add_sync(std::vector<prometheus::MetricFamily>& families) const;
    void add_alerts(std::vector<prometheus::MetricFamily>& families) const;

    const store::Store& store_;
    const api::Dispatcher& dispatcher_;
    const functions::Functions& functions_;
    const sync::SyncService& sync_;
    const Alerts& alerts_;
    std::atomic<const http::Server*> server_{nullptr};
    std::atomic<bool> ready_{false};
};

} // namespace tombolo::server
