// Responses whose body is made while they are sent: chunks, until either side ends it.

#include "server/http/connection.hpp"

#include <charconv>

#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "server/http/body_stream.hpp"

namespace tombolo::http {

namespace {

namespace asio = boost::asio;

// Waits until `start(wake)` calls `wake`, from whatever thread.
template <class Start>
awaitable<void> woken_by(Start start) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    auto initiate = [&executor, &start](auto completion) {
        auto shared = std::make_shared<decltype(completion)>(std::move(completion));
        start([shared, executor] { asio::post(executor, [shared] { (*shared)(); }); });
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(std::move(initiate),
                                                                         asio::use_awaitable);
}

std::string chunk_head(std::size_t size) {
    char digits[16];
    const auto end = std::to_chars(std::begin(digits), std::end(digits), size, 16).ptr;
    return std::string(std::begin(digits), end) + "\r\n";
}

} // namespace

// A client says that it is gone by closing: nothing else may come on a connection that is to be
// closed after this response, so whatever can be read ends it.
awaitable<void> Connection::watch_reader(std::shared_ptr<BodyStream> body) {
    char byte = 0;
    if (!co_await stream_->wait_readable()) {
        co_await stream_->read_some(asio::buffer(&byte, 1));
    }
    body->close();
}

awaitable<std::size_t> Connection::write_chunks(std::shared_ptr<BodyStream> body) {
    static constexpr std::string_view last_chunk = "0\r\n\r\n";
    std::size_t written = 0;
    for (;;) {
        deadline_ = Clock::time_point::max(); // its maker decides how long there may be nothing
        co_await woken_by([&body](std::function<void()> wake) { body->wait(std::move(wake)); });
        BodyStream::Taken taken = body->take();
        std::string bytes;
        if (!taken.bytes.empty()) {
            written += taken.bytes.size();
            bytes = chunk_head(taken.bytes.size());
            bytes += taken.bytes;
            bytes += "\r\n";
        }
        const bool whole = taken.end && !body->closed();
        allow(shared_.options.write_timeout);
        const error_code error = co_await stream_->write(
            {asio::const_buffer(bytes.data(), bytes.size()),
             asio::const_buffer(last_chunk.data(), whole ? last_chunk.size() : 0)});
        if (error || taken.end) {
            break;
        }
    }
    co_return written;
}

awaitable<std::size_t> Connection::write_stream(std::shared_ptr<BodyStream> body) {
    bool watching = true;
    std::function<void()> watch_ended;
    streamed_ = body;
    asio::co_spawn(co_await asio::this_coro::executor, watch_reader(body),
                   [&watching, &watch_ended](const std::exception_ptr& /*ignored*/) {
                       watching = false;
                       if (watch_ended) {
                           watch_ended();
                       }
                   });
    std::size_t written = 0;
    std::exception_ptr failure;
    try {
        written = co_await write_chunks(body);
    } catch (...) {
        failure = std::current_exception(); // the reader's coroutine must end first
    }
    body->close();
    streamed_.reset();
    // Ends watch_reader, which uses this connection and the variables above.
    close();
    if (watching) {
        co_await woken_by(
            [&watch_ended](std::function<void()> wake) { watch_ended = std::move(wake); });
    }
    if (failure) {
        std::rethrow_exception(failure);
    }
    co_return written;
}

} // namespace tombolo::http
