// fanout: one write to thousands of interested devices.

#include <optional>

#include "reference/fan_writes.hpp"
#include "sync_metrics.hpp"
#include "sync_notes.hpp"
#include "sync_subject.hpp"

namespace tombolo::bench {

namespace {

constexpr std::size_t devices = 5000;
constexpr std::size_t rounds = 10;

// A writer and many readers of one note, each at another client version.
class Crowd {
  public:
    explicit Crowd(const SyncSubject& subject, const std::vector<std::string>& tokens)
        : subject_(subject), fleet_(subject.fleet()) {
        fleet_.add_all(tokens, [](std::size_t) { return notes_of_group(1); });
        for (std::size_t i = 0; i < fleet_.size(); ++i) {
            fleet_.device(i).version += i;
        }
        fleet_.on_download = [this](Fleet::Index index, const DownloadHead& head) {
            if (index != 0 && !head.body.empty()) {
                ++received_;
                frame_bytes_ = head.message_bytes;
            }
        };
        write(new_note(1, 1));
        wait_until_read();
    }

    /// Frames a second, answers read.
    double rate() {
        const double start = seconds_now();
        for (std::size_t i = 0; i < rounds; ++i) {
            text_ = "told to many, number " + std::to_string(100'000 + ++number_);
            write(changed_note(1, text_));
        }
        wait_until_read();
        return static_cast<double>(rounds * (fleet_.size() - 1)) / (seconds_now() - start);
    }

    FanShape shape() {
        // Both frame heads are small: 2 and 6 bytes, or 4 and 8.
        const std::size_t answer = fleet_.answer_bytes();
        return {fleet_.size() - 1, frame_bytes_ + (frame_bytes_ < 126 ? 2 : 4),
                answer + (answer < 126 ? 6 : 8)};
    }
    const std::string& text() const noexcept { return text_; }

  private:
    void write(const std::vector<std::byte>& changeset) {
        received_ = 0;
        const std::uint64_t version = fleet_.upload(0, changeset);
        fleet_.run_until(
            [&] {
                return received_ == fleet_.size() - 1 && fleet_.device(0).acknowledged >= version;
            },
            "a write to reach all devices");
    }

    // Everything that was sent has been handled.
    void wait_until_read() {
        if (!handled_before_) {
            fleet_.run_for(0.5);
            handled_before_ = subject_.messages_handled() - fleet_.messages_sent();
        }
        const double end = seconds_now() + 60;
        while (subject_.messages_handled() - *handled_before_ < fleet_.messages_sent()) {
            fleet_.poll(0.001);
            if (seconds_now() > end) {
                give_up("the server does not read what devices answer");
            }
        }
    }

    const SyncSubject& subject_;
    Fleet fleet_;
    std::size_t received_ = 0;
    std::size_t frame_bytes_ = 0;
    std::optional<std::uint64_t> handled_before_;
    int number_ = 0;
    std::string text_;
};

void fan_out(bool tls) {
    raise_file_limit(2 * devices + 500);
    const char* const metric = tls ? "fanout_tls" : "fanout";
    SyncSubject subject(metric);
    const std::vector<std::string> tokens = subject.log_in(devices + 1);
    subject.start(tls);
    std::string last;
    {
        Crowd crowd(subject, tokens);
        crowd.rate();
        const FanShape shape = crowd.shape();
        const ServerProcess raw =
            ServerProcess::fork_server([&](int port_pipe) { serve_fan(port_pipe, shape); });
        FanClients clients(raw.port(), shape);
        clients.rate(rounds);
        std::vector<double> ours;
        std::vector<double> least;
        for (int i = 0; i < sync_repetitions; ++i) {
            least.push_back(clients.rate(rounds));
            ours.push_back(crowd.rate());
        }
        print(metric, median(ours), "frames/s", "raw epoll loop, same frames and answers",
              median(least), median(ours) / median(least));
        last = crowd.text();
        subject.kill();
    }
    subject.start(tls);
    if (notes_on_server(subject.fleet(), tokens[1])[1] != last) {
        give_up("kill -9 lost an acknowledged write");
    }
}

} // namespace

void bench_fanout() {
    fan_out(false);
}

void bench_fanout_tls() {
    fan_out(true);
}

} // namespace tombolo::bench
