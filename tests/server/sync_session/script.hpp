#pragma once

// A scripted protocol client: sends exactly what a test says, and checks every DOWNLOAD by the
// rules of clients and of our server (sync-protocol.md 4.7). What comes is not what was expected:
// std::runtime_error.

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "changeset/changeset.hpp"
#include "client/replica.hpp"
#include "protocol/download_checker.hpp"
#include "server/sync_session/islands.hpp"

namespace tombolo::server {

struct ScriptDownload {
    protocol::SyncProgress progress;
    protocol::QueryVersion query_version;
    protocol::BatchState state = protocol::BatchState::steady;
    protocol::ProgressEstimate estimate;
    std::string head;
    std::vector<client::ReceivedEntry> entries;

    /// Everything in the entries, one after the other, decoded.
    std::vector<changeset::Changeset> changesets() const;
    /// How many instructions of that kind on objects of the class.
    std::size_t count(changeset::Opcode op, std::string_view class_name) const;
};

struct ScriptUpload {
    std::uint64_t client_version = 0;
    std::uint64_t base = 0;
    changeset::Changeset changeset;
    std::uint64_t timestamp_ms = 360'000'000'000;
    std::uint64_t origin = 0;
};

class Script {
  public:
    Script(const WireOptions& options) : wire_(options) {}
    Script(const IslandsServer& server, const Login& login) : wire_(server.wire(login)) {}

    SyncWire& wire() { return wire_; }
    int status() const { return wire_.status(); }

    void bind(bool needs_ident, std::uint64_t session = 1,
              protocol::SessionReason reason = protocol::SessionReason::sync);
    /// BIND and the server's IDENT.
    protocol::SaltedFileIdent bind_new(std::uint64_t session = 1);
    void ident(const protocol::SaltedFileIdent& file, const protocol::SyncProgress& progress = {},
               std::int64_t query_version = 0, const std::string& query = "{}",
               std::uint64_t session = 1);
    void query(std::int64_t version, const std::string& body, std::uint64_t session = 1);
    void mark(std::uint64_t request, std::uint64_t session = 1);
    void unbind(std::uint64_t session = 1);
    void upload(const std::vector<ScriptUpload>& entries, protocol::UploadCursor progress,
                std::uint64_t locked, std::uint64_t session = 1);

    /// The next message must be one of these.
    ScriptDownload download(std::uint64_t session = 1);
    void expect_mark(std::uint64_t request, std::uint64_t session = 1);
    protocol::JsonError expect_error(protocol::SyncErrorCode code, std::uint64_t session = 1);
    void expect_unbound(std::uint64_t session = 1);
    /// What comes before the MARK: DOWNLOADs only.
    std::vector<ScriptDownload> downloads_until_mark(std::uint64_t request,
                                                     std::uint64_t session = 1);
    /// DOWNLOADs until one acknowledges this client version.
    std::vector<ScriptDownload> downloads_until_uploaded(std::uint64_t client_version,
                                                         std::uint64_t session = 1);
    /// A new file with version 0 and subscription 1 bootstrapped, MARKs 1 and 2 answered.
    protocol::SaltedFileIdent open_file(const std::string& query, std::uint64_t session = 1);

    /// The fresh file of a client reset, on session 2 (sync-protocol.md 8.2): downloads by the
    /// query and is closed.
    protocol::SaltedFileIdent open_fresh_file(const std::string& query);
    /// The real file takes the fresh one's ident over, on session 3, with MARK 7, and uploads an
    /// Item with this key as its version 120.
    void take_over(const protocol::SaltedFileIdent& fresh, const std::string& query,
                   std::int64_t key);

    /// The last DOWNLOAD's cursors.
    const protocol::SyncProgress& progress(std::uint64_t session = 1) { return progress_[session]; }

  private:
    SyncWire::Incoming receive() { return wire_.receive(); }
    ScriptDownload take(const SyncWire::Incoming& incoming);

    SyncWire wire_;
    std::map<std::uint64_t, protocol::DownloadChecker> checkers_;
    std::map<std::uint64_t, protocol::SyncProgress> progress_;
};

/// A server for each test of "A server must" (sync-protocol.md 11).
class ServerMust : public ::testing::Test {
  protected:
    IslandsServer server_;
};

} // namespace tombolo::server
