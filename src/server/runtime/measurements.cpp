#include "server/runtime/measurements.hpp"

#include <algorithm>
#include <bit>

namespace tombolo::server {

namespace {

constexpr std::int64_t minute_ms = 60'000;
constexpr std::size_t minutes_max = std::size_t{7} * 24 * 60;
constexpr std::int64_t day_ms = 24 * 60 * minute_ms;

std::size_t index_of(Measured what, Measured first) {
    return static_cast<std::size_t>(what) - static_cast<std::size_t>(first);
}

/// Below 128 each value is a step; above, 64 steps from one power of two to the next.
std::uint16_t step_of(std::int64_t ms) {
    const auto value = static_cast<std::uint64_t>(std::clamp<std::int64_t>(ms, 0, 30 * day_ms));
    if (value < 128) {
        return static_cast<std::uint16_t>(value);
    }
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - 7;
    return static_cast<std::uint16_t>(128 + (shift - 1) * 64 + (value >> shift) - 64);
}

/// The middle of the step.
std::int64_t value_of(std::uint16_t step) {
    if (step < 128) {
        return step;
    }
    const unsigned shift = (step - 128U) / 64 + 1;
    const std::int64_t low = static_cast<std::int64_t>((step - 128U) % 64 + 64) << shift;
    return low + (std::int64_t{1} << shift) / 2;
}

} // namespace

AppMeasurements::Minute& AppMeasurements::now() {
    const std::int64_t minute = clock_.unix_ms() / minute_ms;
    const auto found = minutes_.find(minute);
    if (found != minutes_.end()) {
        return found->second;
    }
    Minute begun;
    for (std::size_t i = 0; i < levels; ++i) {
        begun.last.at(i) = begun.highest.at(i) = level_before(minute, i);
    }
    if (minutes_.size() >= minutes_max) {
        minutes_.erase(minutes_.begin());
    }
    return minutes_.emplace(minute, std::move(begun)).first->second;
}

void AppMeasurements::count(Measured counter, std::uint64_t amount) {
    const MutexLock lock(mutex_);
    now().sums.at(index_of(counter, Measured::sessions_started)) += amount;
}

void AppMeasurements::change(Measured level, int by) {
    const std::size_t at = index_of(level, Measured::open_sessions);
    const MutexLock lock(mutex_);
    Minute& minute = now();
    minute.last.at(at) += by;
    minute.highest.at(at) = std::max(minute.highest.at(at), minute.last.at(at));
}

void AppMeasurements::took(Measured duration, std::int64_t ms) {
    const MutexLock lock(mutex_);
    ++now().times.at(index_of(duration, Measured::upload_ms))[step_of(ms)];
}

std::int64_t AppMeasurements::level_before(std::int64_t minute, std::size_t level) const {
    const auto after = minutes_.lower_bound(minute);
    return after == minutes_.begin() ? 0 : std::prev(after)->second.last.at(level);
}

std::int64_t AppMeasurements::highest(std::size_t level, std::int64_t from, std::int64_t to) const {
    if (from > clock_.unix_ms() / minute_ms) {
        return 0;
    }
    std::int64_t found = level_before(from, level);
    for (auto at = minutes_.lower_bound(from); at != minutes_.end() && at->first < to; ++at) {
        found = std::max(found, at->second.highest.at(level));
    }
    return found;
}

std::int64_t AppMeasurements::connection_minutes(std::int64_t from, std::int64_t to) const {
    const std::size_t level = index_of(Measured::open_connections, Measured::open_sessions);
    const std::int64_t end = std::min(to, clock_.unix_ms() / minute_ms + 1);
    std::int64_t total = 0;
    std::int64_t minute = from;
    std::int64_t open = level_before(from, level);
    for (auto at = minutes_.lower_bound(from); minute < end; ++at) {
        const bool has = at != minutes_.end() && at->first < end;
        const std::int64_t until = has ? at->first : end;
        total += open * (until - minute);
        if (!has) {
            break;
        }
        total += at->second.highest.at(level);
        open = at->second.last.at(level);
        minute = until + 1;
    }
    return total;
}

std::int64_t AppMeasurements::percentile(std::size_t duration, std::int64_t from,
                                         std::int64_t to) const {
    std::map<std::uint16_t, std::uint64_t> all;
    std::uint64_t count = 0;
    for (auto at = minutes_.lower_bound(from); at != minutes_.end() && at->first < to; ++at) {
        for (const auto& [step, times] : at->second.times.at(duration)) {
            all[step] += times;
            count += times;
        }
    }
    std::uint64_t rank = (count * 95 + 99) / 100;
    for (const auto& [step, times] : all) {
        if (rank <= times) {
            return value_of(step);
        }
        rank -= times;
    }
    return 0;
}

std::vector<std::int64_t> AppMeasurements::series(Measured what, std::int64_t start_ms,
                                                  std::int64_t step_ms, std::size_t points) const {
    std::vector<std::int64_t> out;
    out.reserve(points);
    const MutexLock lock(mutex_);
    for (std::size_t i = 0; i < points; ++i) {
        const std::int64_t begin = start_ms + static_cast<std::int64_t>(i) * step_ms;
        // A minute belongs to the step in which it begins, the first also to the one it is in.
        const std::int64_t from = i == 0 ? begin / minute_ms : (begin + minute_ms - 1) / minute_ms;
        const std::int64_t to = (begin + step_ms + minute_ms - 1) / minute_ms;
        if (what == Measured::connection_minutes) {
            out.push_back(connection_minutes(from, to));
        } else if (what >= Measured::upload_ms) {
            out.push_back(percentile(index_of(what, Measured::upload_ms), from, to));
        } else if (what >= Measured::open_sessions) {
            out.push_back(highest(index_of(what, Measured::open_sessions), from, to));
        } else {
            std::uint64_t sum = 0;
            for (auto at = minutes_.lower_bound(from); at != minutes_.end() && at->first < to;
                 ++at) {
                sum += at->second.sums.at(static_cast<std::size_t>(what));
            }
            out.push_back(static_cast<std::int64_t>(sum));
        }
    }
    return out;
}

std::shared_ptr<AppMeasurements> Measurements::of(const ObjectId& app) {
    const MutexLock lock(mutex_);
    std::shared_ptr<AppMeasurements>& found = apps_[app];
    if (found == nullptr) {
        found = std::make_shared<AppMeasurements>(clock_);
    }
    return found;
}

} // namespace tombolo::server
