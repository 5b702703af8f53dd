#include "sync_backlog.hpp"

#include "protocol/codec.hpp"
#include "server_process.hpp"

namespace tombolo::bench {

namespace {

/// What a published client puts into one UPLOAD.
constexpr std::size_t upload_bytes = 131'072;

struct PreparedUpload {
    std::string message;
    std::uint64_t last_version = 0;
};

std::vector<PreparedUpload> prepare(const Device& device, std::size_t count,
                                    const std::function<std::vector<std::byte>()>& next) {
    std::vector<PreparedUpload> uploads;
    std::vector<std::byte> body;
    std::uint64_t version = device.version;
    const auto finish = [&] {
        std::vector<std::byte> storage;
        protocol::Upload message;
        message.session = {1};
        message.progress = {{version}, {device.download_server}};
        message.locked = {device.download_server};
        message.body = protocol::compress_body(body, {}, storage);
        uploads.push_back(
            {std::string(as_text(protocol::encode_client_message(message, {}).value())), version});
        body.clear();
    };
    for (std::size_t i = 0; i < count; ++i) {
        const std::vector<std::byte> changeset = next();
        protocol::UploadEntry entry;
        entry.client_version = {++version};
        entry.server_version = {device.download_server};
        entry.origin_timestamp_ms = 360'000'000'000;
        entry.changeset = changeset;
        protocol::append_entry(body, entry);
        if (body.size() >= upload_bytes) {
            finish();
        }
    }
    if (!body.empty()) {
        finish();
    }
    return uploads;
}

} // namespace

double upload_backlog(Fleet& fleet, std::size_t count,
                      const std::function<std::vector<std::byte>()>& next) {
    const std::vector<PreparedUpload> uploads = prepare(fleet.device(0), count, next);
    const std::uint64_t last = uploads.back().last_version;
    fleet.answers = false; // a published client sends its own changesets first
    const double start = seconds_now();
    for (const PreparedUpload& upload : uploads) {
        fleet.send(0, upload.message);
    }
    fleet.device(0).version = last;
    fleet.run_until([&] { return fleet.device(0).acknowledged >= last; }, "the backlog", 600);
    const double took = seconds_now() - start;
    fleet.answers = true;
    return took;
}

} // namespace tombolo::bench
