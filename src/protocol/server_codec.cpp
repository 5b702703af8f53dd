// Messages from server to client (sync-protocol.md 3.2, 3.4).

#include "protocol/codec.hpp"

#include <utility>

#include "protocol/codec_common.hpp"

namespace tombolo::protocol {

namespace {

using detail::finished;
using detail::HeaderReader;
using detail::MessageWriter;

Result<ServerMessage> parse_ident(HeaderReader& reader) {
    ServerIdent ident;
    ident.session = reader.session();
    ident.file.ident = reader.strong<ClientFileIdent>("file ident");
    ident.file.salt.value = reader.signed_number("file ident salt");
    reader.end_header();
    if (!reader.has_error() && (ident.file.ident.value == 0 || ident.file.salt.value == 0)) {
        reader.fail(ErrorCode::bad_sync_message, "a file ident or its salt is 0");
    }
    return finished<ServerMessage>(reader, ident);
}

BatchState read_batch_state(HeaderReader& reader, ProtocolVersion version) {
    if (version < ProtocolVersion::v14) {
        return reader.boolean("last in batch") ? BatchState::bootstrap_last
                                               : BatchState::bootstrap_more;
    }
    constexpr std::uint64_t state_max = 2;
    return static_cast<BatchState>(reader.number("batch state", state_max));
}

Result<ServerMessage> parse_download(HeaderReader& reader, Dialect dialect,
                                     const ParseLimits& parse_limits) {
    Download download;
    download.session = reader.session();
    SyncProgress& progress = download.progress;
    progress.download.server = reader.strong<ServerVersion>("download server version");
    progress.download.client = reader.strong<ClientVersion>("download client version");
    progress.latest.version = reader.strong<ServerVersion>("latest server version");
    progress.latest.salt.value = reader.signed_number("latest server version salt");
    progress.upload.client = reader.strong<ClientVersion>("upload client version");
    progress.upload.server = reader.strong<ServerVersion>("upload server version");
    const bool is_flexible = dialect.mode == SyncMode::flexible;
    if (is_flexible) {
        download.query_version.value = static_cast<std::int64_t>(reader.number("query version"));
        download.batch_state = read_batch_state(reader, dialect.version);
    }
    if (is_flexible && dialect.version != ProtocolVersion::v11) {
        download.estimate = reader.estimate("progress estimate");
    } else {
        download.downloadable_bytes = reader.number("downloadable bytes");
    }
    const bool is_compressed = reader.boolean("is compressed");
    const std::uint64_t uncompressed_size = reader.number("uncompressed size");
    const std::uint64_t compressed_size = reader.number("compressed size");
    reader.end_header();
    download.body =
        detail::take_body(reader, is_compressed, uncompressed_size, compressed_size, parse_limits);
    return finished<ServerMessage>(reader, download);
}

/// Codes of the connection come with session ident 0 and only they do; a mix is a protocol
/// violation (6.2).
Result<void> check_level(int code, SessionIdent session, ErrorCode error_code) {
    const SyncErrorInfo* info = find_sync_error(code);
    const bool is_connection_code = info != nullptr && info->level == ErrorLevel::connection;
    if (is_connection_code != (session.value == 0)) {
        return Error(error_code,
                     session.value == 0
                         ? "error " + std::to_string(code) + " is not one of the connection"
                         : "error " + std::to_string(code) + " is not one of a session");
    }
    return {};
}

Result<ServerMessage> parse_json_error(HeaderReader& reader) {
    JsonError error;
    error.code = reader.error_code("error code");
    const std::uint64_t size = reader.number("body size");
    error.session = reader.session_or_connection();
    reader.end_header();
    const ByteView body = reader.body(size, limits::server_json_bytes_max, "the body");
    TOMBOLO_TRY_VOID(reader.finish());
    TOMBOLO_TRY_VOID(check_level(error.code, error.session, ErrorCode::bad_sync_message));
    Result<ErrorBody> parsed = parse_error_body(error.code, as_text(body));
    if (!parsed) {
        return parsed.error().within("json_error");
    }
    error.body = *std::move(parsed);
    return ServerMessage(std::move(error));
}

Result<ServerMessage> parse_legacy_error(HeaderReader& reader) {
    LegacyError error;
    error.code = reader.error_code("error code");
    const std::uint64_t size = reader.number("message size");
    error.try_again = reader.boolean("try again");
    error.session = reader.session_or_connection();
    reader.end_header();
    error.message_text = as_text(reader.body(size, limits::server_json_bytes_max, "the message"));
    TOMBOLO_TRY_VOID(reader.finish());
    TOMBOLO_TRY_VOID(check_level(error.code, error.session, ErrorCode::bad_sync_message));
    return ServerMessage(error);
}

Result<ServerMessage> parse_query_error(HeaderReader& reader) {
    QueryError error;
    error.code = reader.error_code("error code");
    const std::uint64_t size = reader.number("message size");
    error.session = reader.session();
    error.version.value = static_cast<std::int64_t>(reader.number("query version"));
    reader.end_header();
    error.message_text = as_text(reader.body(size, limits::server_json_bytes_max, "the message"));
    return finished<ServerMessage>(reader, error);
}

Result<ServerMessage> parse_log_message(HeaderReader& reader) {
    LogMessage log;
    log.session = reader.session_or_connection();
    const std::uint64_t size = reader.number("body size");
    reader.end_header();
    const ByteView body = reader.body(size, limits::server_json_bytes_max, "the body");
    TOMBOLO_TRY_VOID(reader.finish());
    Result<LogBody> parsed = parse_log_body(as_text(body));
    if (!parsed) {
        return parsed.error().within("log_message");
    }
    log.body = *std::move(parsed);
    return ServerMessage(std::move(log));
}

Result<ServerMessage> parse_unbound(HeaderReader& reader) {
    const Unbound unbound{reader.session()};
    reader.end_header();
    return finished<ServerMessage>(reader, unbound);
}

Result<ServerMessage> parse_pong(HeaderReader& reader) {
    const Pong pong{reader.signed_number("timestamp")};
    reader.end_header();
    return finished<ServerMessage>(reader, pong);
}

Error refused(std::string message) {
    return {ErrorCode::invalid_argument, std::move(message)};
}

/// Never sends what crashes the published client or only clients send.
Result<void> check_sendable(int code) {
    const SyncErrorInfo* info = find_sync_error(code);
    if (code < 0 || (info != nullptr && info->sending != ErrorSending::server)) {
        return refused("error " + std::to_string(code) + " must not be sent by a server");
    }
    return {};
}

struct ServerEncoder {
    Dialect dialect;

    Result<MessageBytes> operator()(const ServerIdent& ident) const {
        TOMBOLO_TRY_VOID(detail::check_session(ident.session));
        if (ident.file.ident.value == 0 || ident.file.salt.value == 0) {
            return refused("a file ident or its salt is 0");
        }
        return MessageWriter("ident")
            .field(ident.session)
            .field(ident.file.ident)
            .field(ident.file.salt)
            .end_header()
            .finish();
    }

    Result<MessageBytes> operator()(const Download& download) const {
        TOMBOLO_TRY_VOID(detail::check_session(download.session));
        const SyncProgress& progress = download.progress;
        MessageWriter writer("download");
        writer.field(download.session)
            .field(progress.download.server)
            .field(progress.download.client)
            .field(progress.latest.version)
            .field(progress.latest.salt)
            .field(progress.upload.client)
            .field(progress.upload.server);
        const bool is_flexible = dialect.mode == SyncMode::flexible;
        if (is_flexible) {
            if (download.query_version.value < 0) {
                return refused("a query version is negative");
            }
            writer.field(download.query_version);
            if (dialect.version < ProtocolVersion::v14) {
                writer.field(download.batch_state != BatchState::bootstrap_more);
            } else {
                writer.field(static_cast<std::uint64_t>(download.batch_state));
            }
        }
        if (is_flexible && dialect.version != ProtocolVersion::v11) {
            writer.field(download.estimate);
        } else {
            writer.field(download.downloadable_bytes);
        }
        detail::write_body_fields(writer, download.body);
        return writer.end_header().body(download.body.wire).finish();
    }

    Result<MessageBytes> operator()(const Mark& mark) const { return detail::encode_mark(mark); }

    Result<MessageBytes> operator()(const Unbound& unbound) const {
        TOMBOLO_TRY_VOID(detail::check_session(unbound.session));
        return MessageWriter("unbound").field(unbound.session).end_header().finish();
    }

    Result<MessageBytes> operator()(const Pong& pong) const {
        return MessageWriter("pong").field(pong.timestamp_ms).end_header().finish();
    }

    Result<MessageBytes> operator()(const JsonError& error) const {
        TOMBOLO_TRY_VOID(check_sendable(error.code));
        TOMBOLO_TRY_VOID(check_level(error.code, error.session, ErrorCode::invalid_argument));
        TOMBOLO_TRY(const std::string body, write_error_body(error.code, error.body));
        return MessageWriter("json_error")
            .field(static_cast<std::uint64_t>(error.code))
            .field(std::uint64_t{body.size()})
            .field(error.session)
            .end_header()
            .body(body)
            .finish();
    }

    Result<MessageBytes> operator()(const LegacyError& error) const {
        TOMBOLO_TRY_VOID(check_sendable(error.code));
        TOMBOLO_TRY_VOID(check_level(error.code, error.session, ErrorCode::invalid_argument));
        return MessageWriter("error")
            .field(static_cast<std::uint64_t>(error.code))
            .field(std::uint64_t{error.message_text.size()})
            .field(error.try_again)
            .field(error.session)
            .end_header()
            .body(error.message_text)
            .finish();
    }

    Result<MessageBytes> operator()(const QueryError& error) const {
        TOMBOLO_TRY_VOID(detail::check_session(error.session));
        if (dialect.mode == SyncMode::partition) {
            return refused("QUERY_ERROR exists in flexible sync only");
        }
        if (error.code < 0 || error.version.value < 0) {
            return refused("an error code or query version is negative");
        }
        return MessageWriter("query_error")
            .field(static_cast<std::uint64_t>(error.code))
            .field(std::uint64_t{error.message_text.size()})
            .field(error.session)
            .field(error.version)
            .end_header()
            .body(error.message_text)
            .finish();
    }

    Result<MessageBytes> operator()(const LogMessage& log) const {
        TOMBOLO_TRY(const std::string body, write_log_body(log.body));
        return MessageWriter("log_message")
            .field(log.session)
            .field(std::uint64_t{body.size()})
            .end_header()
            .body(body)
            .finish();
    }

    Result<MessageBytes> operator()(const TestCommand& command) const {
        return detail::encode_test_command(command);
    }
};

} // namespace

Result<ServerMessage> parse_server_message(ByteView message, Dialect dialect,
                                           const ParseLimits& parse_limits) {
    TOMBOLO_TRY_VOID(detail::check_message_size(message, parse_limits));
    HeaderReader reader(message);
    const std::string_view type = reader.type();
    if (type == "download") {
        return parse_download(reader, dialect, parse_limits);
    }
    if (type == "ident") {
        return parse_ident(reader);
    }
    if (type == "mark") {
        return finished<ServerMessage>(reader, detail::read_mark(reader));
    }
    if (type == "unbound") {
        return parse_unbound(reader);
    }
    if (type == "pong") {
        return parse_pong(reader);
    }
    if (type == "json_error") {
        return parse_json_error(reader);
    }
    if (type == "error") {
        return parse_legacy_error(reader);
    }
    if (type == "query_error" && dialect.mode == SyncMode::flexible) {
        return parse_query_error(reader);
    }
    if (type == "log_message") {
        return parse_log_message(reader);
    }
    if (type == "test_command") {
        return finished<ServerMessage>(
            reader, detail::read_test_command(reader, limits::server_json_bytes_max));
    }
    return detail::unknown_message(reader);
}

Result<MessageBytes> encode_server_message(const ServerMessage& message, Dialect dialect) {
    return std::visit(ServerEncoder{dialect}, message);
}

} // namespace tombolo::protocol
