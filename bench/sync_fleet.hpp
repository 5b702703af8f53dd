#pragma once

// Many sync devices in one thread: epoll, hardly any parsing, no replica. A device does on the wire
// what a published client does (sync-protocol.md 4.4): it signs on, sends its schema, subscribes,
// answers every DOWNLOAD that moves its cursor with an empty UPLOAD; what it is sent it only
// counts. So that a bench measures the server, frames are masked with a zero key, which changes no
// byte.
//
// What no server may do ends the program. Not thread-safe; nothing starts a thread.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.hpp"

struct ssl_ctx_st;
struct ssl_st;

namespace tombolo::bench {

/// The header of a DOWNLOAD, and its body as it came.
struct DownloadHead {
    std::uint64_t server_version = 0;
    std::uint64_t client_version = 0;
    std::uint64_t latest_version = 0;
    std::int64_t latest_salt = 0;
    std::uint64_t upload_client_version = 0;
    std::uint64_t upload_server_version = 0;
    std::int64_t query_version = 0;
    int batch_state = 2;
    bool is_compressed = false;
    std::size_t plain_bytes = 0;
    std::string_view body;
    std::size_t message_bytes = 0;
};

struct Device {
    enum class Phase : std::uint8_t {
        away,
        connecting,
        handshaking,
        upgrading,
        awaiting_ident,
        opening,     ///< IDENT and the first MARK are sent
        subscribing, ///< QUERY and the second MARK are sent
        ready,
    };

    std::string token;
    std::string query; ///< body of subscription set 1
    int socket = -1;
    ssl_st* tls = nullptr;
    Phase phase = Phase::away;
    bool watches_writing = false;
    std::string in;  ///< of a frame that is not whole
    std::string out; ///< what the system did not take

    // The file.
    std::uint64_t file = 0;
    std::int64_t file_salt = 0;
    std::uint64_t version = 0; ///< newest client version
    std::uint64_t download_server = 0;
    std::uint64_t download_client = 0;
    std::uint64_t latest = 0;
    std::int64_t latest_salt = 0;
    std::uint64_t acknowledged = 0; ///< own version
    std::uint64_t mark = 0;
    std::int64_t active_query = 0;
    double sent_at = 0; ///< of the last upload()
};

struct FleetOptions {
    std::uint16_t port = 0;
    bool tls = false;
    bool no_delay = true; ///< published clients: false
    /// The changeset that adds the classes; empty: a device that knows of none.
    std::vector<std::byte> schema;
};

class Fleet {
  public:
    using Index = std::size_t;

    explicit Fleet(FleetOptions options);
    ~Fleet();
    Fleet(const Fleet&) = delete;
    Fleet& operator=(const Fleet&) = delete;

    /// A new device that subscribes to `query` ({"Class":"predicate"}); it connects at once.
    Index add(std::string token, std::string query);
    /// Adds one device for each token, at most a few hundred signing on at a time, and waits until
    /// all are up to date.
    void add_all(const std::vector<std::string>& tokens,
                 const std::function<std::string(std::size_t)>& query);
    std::size_t size() const noexcept { return devices_.size(); }
    Device& device(Index index) { return *devices_[index]; }
    std::size_t ready() const noexcept { return ready_; }

    /// Ends TCP without a word; the file stays.
    void drop(Index index);
    void drop_all();
    void reconnect(Index index);
    /// Where the next connections go.
    void set_server(std::uint16_t port, bool tls);

    /// One changeset, as the device's next version. Its number.
    std::uint64_t upload(Index index, ByteView changeset);
    /// A message made before.
    void send(Index index, std::string_view message);

    /// Asks every device's MARK; counted until it is answered.
    void ask_marks();
    std::size_t marks_awaited() const noexcept { return marks_awaited_; }

    /// Handles what comes until `done`; ends the program after `patience` seconds.
    void run_until(const std::function<bool()>& done, const char* what, double patience = 120);
    /// Handles what comes for so long.
    void run_for(double seconds);
    /// Once.
    void poll(double seconds);

    /// DOWNLOADs, before they are answered. Not called for empty ones in answer to nothing.
    std::function<void(Index, const DownloadHead&)> on_download;
    std::uint64_t downloads() const noexcept { return downloads_; }
    std::uint64_t messages_sent() const noexcept { return messages_sent_; }
    /// Of the last empty UPLOAD.
    std::size_t answer_bytes() const noexcept { return answer_bytes_; }
    /// Connections that the server ended or refused; a fleet for which that is allowed.
    std::uint64_t lost() const noexcept { return lost_; }
    bool tolerates_loss = false;
    /// Off: DOWNLOADs are taken without a word, as by a device that has its own changesets to send
    /// first.
    bool answers = true;

  private:
    void connect(Index index);
    void watch(Index index, bool add);
    void advance_connection(Index index);
    void send_upgrade(Index index);
    void bind(Index index);
    void identify(Index index);
    void subscribe(Index index);
    void read(Index index);
    std::size_t receive(Index index);
    void take_bytes(Index index, std::string_view bytes);
    std::size_t take_upgrade(Index index, std::string_view bytes);
    std::size_t take_frame(Index index, std::string_view bytes);
    void take_message(Index index, std::string_view message);
    void take_download(Index index, std::string_view message);
    void take_mark(Index index);
    void answer(Index index);
    void write(Index index, std::string_view bytes);
    void flush(Index index);
    void fail(Index index, const std::string& why);

    FleetOptions options_;
    int epoll_;
    ssl_ctx_st* tls_ = nullptr;
    std::vector<std::unique_ptr<Device>> devices_;
    std::size_t ready_ = 0;
    std::size_t marks_awaited_ = 0;
    std::uint64_t downloads_ = 0;
    std::uint64_t messages_sent_ = 0;
    std::uint64_t lost_ = 0;
    std::size_t answer_bytes_ = 0;
    std::unique_ptr<char[]> buffer_;
    std::string frame_;
};

/// Appends a binary frame of a client.
void append_frame(std::string& out, std::string_view message);

} // namespace tombolo::bench
