// What a device says and hears: the client's side of a session, as far as the server can tell.

#include <charconv>
#include <cstdio>

#include "protocol/codec.hpp"
#include "protocol/negotiation.hpp"
#include "server_process.hpp"
#include "sync_fleet.hpp"

namespace tombolo::bench {

namespace {

constexpr protocol::SessionIdent session{1};
constexpr std::uint64_t timestamp_ms = 360'000'000'000;

std::string encode(const protocol::ClientMessage& message) {
    return std::string(as_text(protocol::encode_client_message(message, {}).value()));
}

/// Reads the numbers of a header line, one space before each.
class Fields {
  public:
    explicit Fields(std::string_view line) : at_(line.data()), end_(at_ + line.size()) {}

    template <class Number>
    void read(Number& number) {
        at_ = std::from_chars(at_ + 1, end_, number).ptr;
    }
    void skip() {
        ++at_;
        while (at_ != end_ && *at_ != ' ') {
            ++at_;
        }
    }

  private:
    const char* at_;
    const char* end_;
};

bool parse_download(std::string_view message, DownloadHead& head) {
    static constexpr std::string_view start = "download 1";
    const std::size_t end = message.find('\n');
    if (!message.starts_with(start) || end == std::string_view::npos) {
        return false;
    }
    Fields fields(message.substr(start.size(), end - start.size()));
    int compressed = 0;
    fields.read(head.server_version);
    fields.read(head.client_version);
    fields.read(head.latest_version);
    fields.read(head.latest_salt);
    fields.read(head.upload_client_version);
    fields.read(head.upload_server_version);
    fields.read(head.query_version);
    fields.read(head.batch_state);
    fields.skip(); // progress estimate
    fields.read(compressed);
    fields.read(head.plain_bytes);
    head.is_compressed = compressed != 0;
    head.message_bytes = message.size();
    head.body = message.substr(end + 1);
    return true;
}

} // namespace

void Fleet::send_upgrade(Index index) {
    const Device& device = *devices_[index];
    write(index, "GET /api/client/v2.0/app/bench-sync/realm-sync?baas_at=" + device.token +
                     " HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Protocol: " +
                     protocol::subprotocol_offer(protocol::SyncMode::flexible) + "\r\n\r\n");
}

std::size_t Fleet::take_upgrade(Index index, std::string_view bytes) {
    const std::size_t end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos) {
        return 0;
    }
    if (!bytes.starts_with("HTTP/1.1 101")) {
        fail(index, "the upgrade was refused: " + std::string(bytes));
        return 0;
    }
    bind(index);
    return end + 4;
}

void Fleet::bind(Index index) {
    Device& device = *devices_[index];
    protocol::FlexibleBind data;
    data.schema_version = 0;
    data.session_reason = protocol::SessionReason::sync;
    protocol::Bind message;
    message.session = session;
    message.needs_file_ident = device.file == 0;
    message.data = data;
    send(index, encode(message));
    device.phase = Device::Phase::awaiting_ident;
    if (device.file != 0) {
        identify(index);
    }
}

// MARK comes right behind, as published clients do that must know whether they are up to date.
void Fleet::identify(Index index) {
    Device& device = *devices_[index];
    protocol::ClientIdent message;
    message.session = session;
    message.file = {{device.file}, {device.file_salt}};
    message.scan = {{device.download_server}, {device.download_client}};
    message.latest = {{device.latest}, {device.latest_salt}};
    message.query_version = {device.active_query};
    message.query_body = device.active_query == 0 ? std::string_view("{}") : device.query;
    device.phase = device.active_query == 0 ? Device::Phase::opening : Device::Phase::subscribing;
    send(index, encode(message));
    send(index, "mark 1 " + std::to_string(++device.mark) + "\n");
}

void Fleet::subscribe(Index index) {
    Device& device = *devices_[index];
    if (!options_.schema.empty()) {
        upload(index, options_.schema);
    }
    protocol::Query message;
    message.session = session;
    message.version = {1};
    message.query_body = device.query;
    send(index, encode(message));
    send(index, "mark 1 " + std::to_string(++device.mark) + "\n");
    device.phase = Device::Phase::subscribing;
}

void Fleet::take_message(Index index, std::string_view message) {
    Device& device = *devices_[index];
    if (message.starts_with("download ")) {
        take_download(index, message);
    } else if (message.starts_with("mark ")) {
        take_mark(index);
    } else if (message.starts_with("ident ")) {
        Fields fields(message.substr(7));
        fields.read(device.file);
        fields.read(device.file_salt);
        identify(index);
    } else if (!message.starts_with("log_message ") && !message.starts_with("pong ")) {
        fail(index, "the server says: " + std::string(message));
    }
}

void Fleet::ask_marks() {
    for (Index i = 0; i < devices_.size(); ++i) {
        send(i, "mark 1 " + std::to_string(++devices_[i]->mark) + "\n");
        ++marks_awaited_;
    }
}

void Fleet::take_mark(Index index) {
    Device& device = *devices_[index];
    if (device.phase == Device::Phase::opening) {
        subscribe(index);
    } else if (device.phase == Device::Phase::subscribing) {
        device.phase = Device::Phase::ready;
        ++ready_;
    } else if (marks_awaited_ > 0) {
        --marks_awaited_;
    }
}

void Fleet::take_download(Index index, std::string_view message) {
    DownloadHead head;
    if (!parse_download(message, head)) {
        fail(index, "a DOWNLOAD that cannot be read: " + std::string(message.substr(0, 200)));
        return;
    }
    Device& device = *devices_[index];
    ++downloads_;
    if (on_download) {
        on_download(index, head);
    }
    device.acknowledged = head.upload_client_version;
    if (head.batch_state == 0) {
        return;
    }
    if (head.batch_state == 1) {
        device.active_query = head.query_version;
    }
    const bool moved = head.server_version > device.download_server;
    device.version += moved ? 1 : 0; // integrating is a local version
    device.download_server = head.server_version;
    device.download_client = head.client_version;
    device.latest = head.latest_version;
    device.latest_salt = head.latest_salt;
    if (moved && answers &&
        device.phase != Device::Phase::opening) { // uploads wait for the first MARK
        answer(index);
    }
}

void Fleet::answer(Index index) {
    const Device& device = *devices_[index];
    char text[128];
    const int size = std::snprintf(text, sizeof text, "upload 1 0 0 0 %llu %llu %llu\n",
                                   static_cast<unsigned long long>(device.version),
                                   static_cast<unsigned long long>(device.download_server),
                                   static_cast<unsigned long long>(device.download_server));
    answer_bytes_ = static_cast<std::size_t>(size);
    send(index, {text, answer_bytes_});
}

std::uint64_t Fleet::upload(Index index, ByteView changeset) {
    Device& device = *devices_[index];
    const std::uint64_t version = ++device.version;
    std::vector<std::byte> body;
    protocol::UploadEntry entry;
    entry.client_version = {version};
    entry.server_version = {device.download_server};
    entry.origin_timestamp_ms = timestamp_ms;
    entry.changeset = changeset;
    protocol::append_entry(body, entry);
    protocol::Upload message;
    message.session = session;
    message.progress = {{version}, {device.download_server}};
    message.locked = {device.download_server};
    message.body = protocol::Body::plain(body);
    const std::string text = encode(message);
    device.sent_at = seconds_now();
    send(index, text);
    return version;
}

} // namespace tombolo::bench
