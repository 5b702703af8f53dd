#include "protocol/messages.hpp"

#include <algorithm>
#include <cmath>

namespace tombolo::protocol {

ProgressEstimate ProgressEstimate::from_fraction(double fraction) noexcept {
    constexpr double one = 10'000;
    // Keeps 0.3333, whose product is a hair below 3333, what it is.
    constexpr double representation_error = 1e-9;
    // Written so that NaN gives 0.
    if (!(fraction > 0)) {
        return {};
    }
    const double scaled = std::floor(std::min(fraction, 1.0) * one + representation_error);
    return {static_cast<std::int32_t>(scaled)};
}

BatchState resolve_batch_state(const Download& download, QueryVersion active) noexcept {
    const bool is_last = download.batch_state != BatchState::bootstrap_more;
    if (is_last && download.query_version == active) {
        return BatchState::steady;
    }
    return is_last ? BatchState::bootstrap_last : BatchState::bootstrap_more;
}

JsonError make_json_error(SyncErrorCode code, SessionIdent session, std::string message) {
    const SyncErrorInfo& info = sync_error_info(code);
    JsonError error;
    error.session = info.level == ErrorLevel::session ? session : SessionIdent{};
    error.code = static_cast<int>(code);
    error.body.message = std::move(message);
    error.body.action = info.action;
    error.body.try_again = info.try_again;
    error.body.should_client_reset = info.action == ErrorAction::client_reset;
    return error;
}

} // namespace tombolo::protocol
