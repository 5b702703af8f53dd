#include "sim/view_run.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "changeset/codec.hpp"
#include "core/bytes.hpp"
#include "sim/view_client.hpp"

namespace tombolo::sim {

namespace {

constexpr Version everything = ~Version{0};

class Run {
  public:
    Run(std::uint64_t seed, const RunOptions& options)
        : choices_(seed), bug_(options.bug),
          server_({options.bug, /* merges_slim_parts */ seed % 2 == 1}) {
        for (FileIdent file = 2; file < 2 + FileIdent{options.clients}; ++file) {
            clients_.emplace_back(file);
            server_.add_file(file);
        }
    }

    void step() {
        now_ += choices_.pick(2);
        ViewClient& client = clients_[choices_.pick(static_cast<std::uint32_t>(clients_.size()))];
        const std::uint32_t what = choices_.pick(100);
        if (what < 45) {
            write(client);
        } else if (what < 62) {
            upload(client);
        } else if (what < 84) {
            download(client, 1 + choices_.pick(4));
        } else if (what < 93) {
            change_view(client);
        } else if (what < 96) {
            cut(client);
        } else {
            change_role(client);
        }
    }

    void finish() {
        // A reset answers an upload; the second round brings it.
        for (int round = 0; round < 3; ++round) {
            for (ViewClient& client : clients_) {
                upload(client);
            }
            for (ViewClient& client : clients_) {
                download(client, everything);
            }
        }
        for (const ViewClient& client : clients_) {
            if (!failure_ && client.has_pending()) {
                fail(client, "something is still pending at the end");
            }
            compare(client);
        }
    }

    const std::optional<std::string>& failure() const { return failure_; }
    RunResult result() && { return {std::move(failure_), std::move(log_), server_.statistics()}; }

  private:
    void write(ViewClient& client) {
        const std::int64_t skew = std::int64_t{choices_.pick(5)} - 2;
        const std::int64_t clock =
            std::max<std::int64_t>(0, static_cast<std::int64_t>(now_) + skew);
        std::optional<ObjectKey> denied;
        if (choices_.percent(6)) {
            denied = choices_.pick(object_key_count);
        }
        client.write(static_cast<std::uint64_t>(clock), denied, choices_);
    }

    void upload(ViewClient& client) {
        const std::vector<UploadItem> items = client.take_uploads();
        if (failure_ || items.empty()) {
            return;
        }
        for (const UploadItem& item : items) {
            note("UPLOAD", client, item.base, item.changeset);
        }
        check(client, server_.upload(client.file(), items, now_), "upload");
        check_stream_is_unchanged(client);
    }

    /// Entries until `limit` of them said something; the client may stop after any.
    void download(ViewClient& client, std::uint64_t limit) {
        std::uint64_t received = 0;
        // What a bootstrap at a reached version leaves behind the entry that the client already
        // has.
        if (receive(client, client.cursor(), server_.late_point(client.file(), client.cursor()))) {
            ++received;
        }
        while (!failure_ && client.cursor() < server_.top() && received < limit) {
            const Version version = client.cursor() + 1;
            const std::optional<Sent> sent = server_.stream(client.file(), version);
            remember(client, version, sent);
            received += receive(client, version, sent) ? 1 : 0;
            receive(client, version, server_.late_point(client.file(), version));
            client.advance(version, server_.client_version_at(client.file(), version));
            compare(client);
        }
    }

    bool receive(ViewClient& client, Version version, const std::optional<Sent>& sent) {
        const bool is_late = sent && sent->origin == server_ident &&
                             bug_ == PlantedBug::bootstrap_at_reached_version &&
                             !delivered_late_.insert({client.file(), version}).second;
        if (failure_ || !sent || is_late) {
            return false;
        }
        note("DOWNLOAD", client, version, sent->changeset);
        check(client, client.integrate(server_.client_version_at(client.file(), version), *sent),
              "download of " + std::to_string(version));
        return true;
    }

    void change_view(ViewClient& client) {
        upload(client);
        const View view = random_view(choices_);
        client.set_view(view);
        server_.change_view(client.file(), view, now_);
    }

    /// The connection breaks: what the server did not yet acknowledge in a download is sent again.
    void cut(ViewClient& client) {
        if (choices_.percent(50)) {
            client.take_uploads(); // lost on the way
        }
        client.reconnect();
        upload(client);
    }

    void change_role(ViewClient& client) {
        const View view = random_view(choices_);
        client.set_view(view);
        client.reconnect();
        server_.collapse(client.file(), client.cursor(), view, now_);
        // What was sent above the scan is told anew.
        auto& sent = sent_[client.file()];
        sent.erase(sent.upper_bound(client.cursor()), sent.end());
    }

    // Invariants

    static std::string fingerprint(const std::optional<Sent>& sent) {
        return sent ? std::to_string(sent->timestamp) + "/" + std::to_string(sent->origin) + "/" +
                          to_text(sent->changeset)
                    : "";
    }

    void remember(const ViewClient& client, Version version, const std::optional<Sent>& sent) {
        sent_[client.file()][version] = fingerprint(sent);
    }

    /// D_c(v) computed again is what was sent.
    void check_stream_is_unchanged(const ViewClient& client) {
        if (bug_ != PlantedBug::none) {
            return; // a bug must show in what clients hold
        }
        for (const auto& [version, text] : sent_[client.file()]) {
            if (fingerprint(server_.stream(client.file(), version)) != text) {
                fail(client, "the stream changed at version " + std::to_string(version));
            }
        }
    }

    /// A client with nothing pending holds its view of the documents at its version.
    void compare(const ViewClient& client) {
        if (failure_ || client.has_pending() ||
            !server_.is_comparable(client.file(), client.cursor())) {
            return;
        }
        for (ObjectKey key = 0; key < object_key_count; ++key) {
            const Document held = document(client.state(), key);
            const Document wanted = server_.visible_document(client.file(), key, client.cursor());
            if (!same_document(held, wanted)) {
                fail(client, "object " + std::to_string(key) + " at version " +
                                 std::to_string(client.cursor()) + " is " + print(held) +
                                 ", should be " + print(wanted));
                return;
            }
        }
    }

    static std::string print(const Document& document) {
        return document ? to_text(Value(*document)) : "absent";
    }

    void check(const ViewClient& client, const Result<void>& done, const std::string& what) {
        if (!done) {
            fail(client, what + " failed: " + done.error().what());
        }
    }

    void fail(const ViewClient& client, const std::string& reason) {
        failure_ = "file " + std::to_string(client.file()) + ": " + reason;
    }

    void note(const char* message, const ViewClient& client, Version version,
              const changeset::Changeset& changeset) {
        log_ += std::string(message) + " " + std::to_string(client.file()) + " " +
                std::to_string(version) + " " + to_hex(changeset::encode(changeset)) + "\n";
    }

    Choices choices_;
    PlantedBug bug_;
    ViewServer server_;
    std::vector<ViewClient> clients_;
    std::uint64_t now_ = 0;
    std::map<FileIdent, std::map<Version, std::string>> sent_;
    std::set<std::pair<FileIdent, Version>> delivered_late_;
    std::optional<std::string> failure_;
    std::string log_;
};

} // namespace

RunResult run_views(std::uint64_t seed, const RunOptions& options) {
    Run run(seed, options);
    for (int step = 0; step < options.steps && !run.failure(); ++step) {
        run.step();
    }
    if (!run.failure()) {
        run.finish();
    }
    return std::move(run).result();
}

} // namespace tombolo::sim
