#include "server/sync/session/binding.hpp"

#include <utility>

namespace tombolo::server::sync {

void BindingSignal::wake() {
    if (const auto waker = waker_.lock()) {
        waker->wake();
    }
}

void BindingSignal::on_allocated(Result<protocol::SaltedFileIdent> file) {
    {
        const MutexLock lock(mutex_);
        allocated_.emplace(std::move(file));
    }
    is_allocated_ = true;
    wake();
}

std::optional<Result<protocol::SaltedFileIdent>> BindingSignal::take_allocated() {
    if (!is_allocated_.exchange(false)) {
        return std::nullopt;
    }
    const MutexLock lock(mutex_);
    return std::exchange(allocated_, std::nullopt);
}

} // namespace tombolo::server::sync
