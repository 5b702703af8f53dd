#include "support/sync_session.hpp"

#include <algorithm>
#include <numeric>

#include "support/random_writer.hpp"
#include "support/sync_peers.hpp"

namespace tombolo::testing {

using changeset::Changeset;
using changeset::MemoryState;

namespace {

class Exchange {
  public:
    explicit Exchange(const SessionNumbers& numbers) {
        for (std::uint64_t ident = 2; ident < 2 + std::uint64_t{numbers.clients}; ++ident) {
            clients_.emplace_back(ident);
        }
        Choices schema(numbers.schema);
        MemoryState state;
        RandomWriter writer(state);
        writer.write_schema(schema);
        const Changeset definitions = writer.take();
        // Every app opens its file with the same schema, before it hears of any other.
        for (ClientPeer& client : clients_) {
            commit(client, definitions);
        }
        for (int i = 0; i < 8; ++i) {
            writer.write(schema);
        }
        commit(clients_[0], writer.take());
        synchronize();
    }

    void run(std::uint32_t event) {
        Choices choices(event);
        time_ += choices.pick(2);
        ClientPeer& client = clients_[choices.pick(static_cast<std::uint32_t>(clients_.size()))];
        const std::uint32_t what = choices.pick(100);
        if (what < 50) {
            write(client, choices);
        } else if (what < 70) {
            upload(client);
        } else {
            const std::uint64_t behind = server_.version() - client.server_version();
            const auto limit = static_cast<std::uint32_t>(behind);
            download(client, client.server_version() + choices.pick(limit + 1));
        }
    }

    void write(ClientPeer& client, Choices& choices) {
        MemoryState state = client.state();
        RandomWriter writer(state);
        const std::uint32_t count = 1 + choices.pick(4);
        for (std::uint32_t i = 0; i < count; ++i) {
            writer.write(choices);
        }
        // Clocks are a little off, in both directions.
        commit(client, writer.take(), choices.pick(4));
    }

    void synchronize() {
        for (ClientPeer& client : clients_) {
            upload(client);
        }
        for (ClientPeer& client : clients_) {
            download(client, server_.version());
        }
    }

    void upload_in_order(const std::vector<std::size_t>& order) {
        for (const std::size_t index : order) {
            upload(clients_[index]);
        }
        synchronize();
    }

    std::vector<ClientPeer>& clients() { return clients_; }

    /// After synchronize().
    std::optional<std::string> failure() const {
        if (failure_) {
            return *failure_ + "\n" + log_;
        }
        for (const ClientPeer& client : clients_) {
            if (!identical(client.state(), server_.state())) {
                return "file " + std::to_string(client.file_ident()) +
                       " ends in another state than the server\n" + to_text(client.state()) +
                       "-- server\n" + to_text(server_.state()) + log_;
            }
        }
        return std::nullopt;
    }

  private:
    void commit(ClientPeer& client, const Changeset& written, std::uint64_t ahead = 0) {
        if (failure_ || written.empty()) {
            return;
        }
        const auto committed = client.commit(written, time_ + ahead);
        note("commit", client, committed);
        log_ += to_text(written);
    }

    void upload(ClientPeer& client) {
        if (!failure_) {
            note("upload", client, server_.integrate(client.file_ident(), client.take_uploads()));
        }
    }

    void download(ClientPeer& client, std::uint64_t to) {
        if (!failure_) {
            note("download to " + std::to_string(to), client,
                 client.integrate(
                     server_.download(client.file_ident(), client.server_version(), to)));
        }
    }

    template <class T>
    void note(const std::string& what, const ClientPeer& client, const Result<T>& result) {
        log_ += what + " by " + std::to_string(client.file_ident()) + " at " +
                std::to_string(time_) + "\n";
        if (!result) {
            failure_ = what + " failed: " + result.error().what();
        }
    }

    ServerPeer server_;
    std::vector<ClientPeer> clients_;
    std::uint64_t time_ = 4;
    std::optional<std::string> failure_;
    std::string log_;
};

} // namespace

std::optional<std::string> check_session(const SessionNumbers& numbers) {
    Exchange exchange(numbers);
    for (const std::uint32_t event : numbers.events) {
        exchange.run(event);
    }
    exchange.synchronize();
    return exchange.failure();
}

std::optional<std::string> check_every_upload_order(const SessionNumbers& numbers) {
    Exchange written(numbers);
    for (std::size_t i = 0; i < numbers.events.size(); ++i) {
        Choices choices(numbers.events[i]);
        written.write(written.clients()[i % written.clients().size()], choices);
    }
    std::vector<std::size_t> order(numbers.clients);
    std::iota(order.begin(), order.end(), std::size_t{0});
    do {
        Exchange exchange = written;
        exchange.upload_in_order(order);
        if (auto failure = exchange.failure()) {
            return failure;
        }
    } while (std::next_permutation(order.begin(), order.end()));
    return std::nullopt;
}

} // namespace tombolo::testing
