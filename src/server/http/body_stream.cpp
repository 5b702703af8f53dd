#include "server/http/body_stream.hpp"

#include <utility>

namespace tombolo::http {

namespace {

void call(const std::function<void()>& callback) {
    if (callback) {
        callback();
    }
}

} // namespace

bool BodyStream::write(std::string_view bytes) {
    std::function<void()> wake;
    {
        const std::lock_guard lock(mutex_);
        if (ended_ || closed_ || queued_.size() + bytes.size() > bytes_max_) {
            return false;
        }
        queued_ += bytes;
        wake = std::exchange(wake_, nullptr);
    }
    call(wake);
    return true;
}

void BodyStream::finish(std::string_view last) {
    std::function<void()> wake;
    {
        const std::lock_guard lock(mutex_);
        if (ended_ || closed_) {
            return;
        }
        queued_ += last;
        ended_ = true;
        wake = std::exchange(wake_, nullptr);
    }
    call(wake);
}

bool BodyStream::closed() const {
    const std::lock_guard lock(mutex_);
    return closed_;
}

void BodyStream::on_close(std::function<void()> callback) {
    {
        const std::lock_guard lock(mutex_);
        if (!closed_) {
            on_close_ = std::move(callback);
            return;
        }
    }
    call(callback);
}

BodyStream::Taken BodyStream::take() {
    const std::lock_guard lock(mutex_);
    return {std::exchange(queued_, {}), ended_ || closed_};
}

void BodyStream::wait(std::function<void()> wake) {
    {
        const std::lock_guard lock(mutex_);
        if (queued_.empty() && !ended_ && !closed_) {
            wake_ = std::move(wake);
            return;
        }
    }
    call(wake);
}

void BodyStream::close() {
    end(true);
}

void BodyStream::abandon() {
    end(false);
}

void BodyStream::end(bool wake_connection) {
    std::function<void()> wake;
    std::function<void()> gone;
    {
        const std::lock_guard lock(mutex_);
        if (closed_) {
            return;
        }
        closed_ = true;
        queued_.clear();
        if (wake_connection) {
            wake = std::exchange(wake_, nullptr);
        }
        gone = std::exchange(on_close_, nullptr);
    }
    call(wake);
    call(gone);
}

} // namespace tombolo::http
