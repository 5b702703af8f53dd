// Messages from client to server (sync-protocol.md 3.1).

#include "protocol/codec.hpp"

#include <utility>

#include "protocol/codec_common.hpp"

namespace tombolo::protocol {

namespace {

using detail::finished;
using detail::HeaderReader;
using detail::MessageWriter;

Error wrong_mode(const char* what) {
    return {ErrorCode::invalid_argument, what};
}

Result<ClientMessage> parse_bind(HeaderReader& reader, Dialect dialect) {
    Bind bind;
    bind.session = reader.session();
    const std::uint64_t data_size = reader.number("data size");
    const std::uint64_t token_size = reader.number("token size");
    bind.needs_file_ident = reader.boolean("need file ident");
    bind.is_subserver = reader.boolean("is subserver");
    reader.end_header();
    const std::string_view data =
        as_text(reader.body(data_size, limits::bind_data_bytes_max, "the data"));
    bind.token = as_text(reader.body(token_size, limits::bind_token_bytes_max, "the token"));
    TOMBOLO_TRY_VOID(reader.finish());
    if (dialect.mode == SyncMode::partition) {
        bind.data = PartitionBind{data};
    } else {
        Result<FlexibleBind> flexible = parse_flexible_bind(data);
        if (!flexible) {
            return flexible.error().within("bind");
        }
        bind.data = *std::move(flexible);
    }
    return ClientMessage(std::move(bind));
}

Result<ClientMessage> parse_ident(HeaderReader& reader, Dialect dialect) {
    ClientIdent ident;
    ident.session = reader.session();
    ident.file.ident = reader.strong<ClientFileIdent>("file ident");
    ident.file.salt.value = reader.signed_number("file ident salt");
    ident.scan.server = reader.strong<ServerVersion>("scan server version");
    ident.scan.client = reader.strong<ClientVersion>("scan client version");
    ident.latest.version = reader.strong<ServerVersion>("latest server version");
    ident.latest.salt.value = reader.signed_number("latest server version salt");
    if (dialect.mode == SyncMode::partition) {
        reader.end_header();
        return finished<ClientMessage>(reader, ident);
    }
    ident.query_version.value =
        static_cast<std::int64_t>(reader.number("query version", limits::number_max));
    const std::uint64_t query_size = reader.number("query size");
    reader.end_header();
    ident.query_body =
        as_text(reader.body(query_size, limits::client_message_bytes_max, "the query"));
    return finished<ClientMessage>(reader, ident);
}

Result<ClientMessage> parse_query(HeaderReader& reader) {
    Query query;
    query.session = reader.session();
    query.version.value =
        static_cast<std::int64_t>(reader.number("query version", limits::number_max));
    const std::uint64_t query_size = reader.number("query size");
    reader.end_header();
    query.query_body =
        as_text(reader.body(query_size, limits::client_message_bytes_max, "the query"));
    return finished<ClientMessage>(reader, query);
}

Result<ClientMessage> parse_upload(HeaderReader& reader, const ParseLimits& parse_limits) {
    Upload upload;
    upload.session = reader.session();
    // The body's sizes stand before the cursors here, unlike in DOWNLOAD.
    const bool is_compressed = reader.boolean("is compressed");
    const std::uint64_t uncompressed_size = reader.number("uncompressed size");
    const std::uint64_t compressed_size = reader.number("compressed size");
    upload.progress.client = reader.strong<ClientVersion>("progress client version");
    upload.progress.server = reader.strong<ServerVersion>("progress server version");
    upload.locked = reader.strong<ServerVersion>("locked server version");
    reader.end_header();
    upload.body =
        detail::take_body(reader, is_compressed, uncompressed_size, compressed_size, parse_limits);
    return finished<ClientMessage>(reader, upload);
}

Result<ClientMessage> parse_client_error(HeaderReader& reader) {
    ClientError error;
    error.code = reader.error_code("error code");
    const std::uint64_t size = reader.number("body size");
    error.session = reader.session();
    reader.end_header();
    const ByteView body = reader.body(size, limits::client_json_bytes_max, "the body");
    TOMBOLO_TRY_VOID(reader.finish());
    Result<std::string> message = parse_client_error_body(as_text(body));
    if (!message) {
        return message.error().within("json_error");
    }
    error.message = *std::move(message);
    return ClientMessage(std::move(error));
}

Result<ClientMessage> parse_unbind(HeaderReader& reader) {
    const Unbind unbind{reader.session()};
    reader.end_header();
    return finished<ClientMessage>(reader, unbind);
}

Result<ClientMessage> parse_ping(HeaderReader& reader) {
    Ping ping;
    ping.timestamp_ms = reader.signed_number("timestamp");
    ping.round_trip_ms = reader.signed_number("round trip time");
    reader.end_header();
    return finished<ClientMessage>(reader, ping);
}

struct ClientEncoder {
    Dialect dialect;

    Result<MessageBytes> operator()(const Bind& bind) const {
        TOMBOLO_TRY_VOID(detail::check_session(bind.session));
        const auto* flexible = std::get_if<FlexibleBind>(&bind.data);
        if ((flexible != nullptr) != (dialect.mode == SyncMode::flexible)) {
            return wrong_mode("the data of BIND is of the other sync mode");
        }
        std::string data;
        if (flexible != nullptr) {
            if (!is_utf8(flexible->migrated_partition.value_or("")) ||
                flexible->schema_version.value_or(0) > limits::number_max) {
                return Error(ErrorCode::invalid_argument, "the data of BIND has no JSON form");
            }
            data = write_flexible_bind(*flexible);
        } else {
            data = std::get<PartitionBind>(bind.data).data;
        }
        return MessageWriter("bind")
            .field(bind.session)
            .field(std::uint64_t{data.size()})
            .field(std::uint64_t{bind.token.size()})
            .field(bind.needs_file_ident)
            .field(bind.is_subserver)
            .end_header()
            .body(data)
            .body(bind.token)
            .finish();
    }

    Result<MessageBytes> operator()(const ClientIdent& ident) const {
        TOMBOLO_TRY_VOID(detail::check_session(ident.session));
        MessageWriter writer("ident");
        writer.field(ident.session)
            .field(ident.file.ident)
            .field(ident.file.salt)
            .field(ident.scan.server)
            .field(ident.scan.client)
            .field(ident.latest.version)
            .field(ident.latest.salt);
        if (dialect.mode == SyncMode::partition) {
            return writer.end_header().finish();
        }
        if (ident.query_version.value < 0) {
            return Error(ErrorCode::invalid_argument, "a query version is negative");
        }
        return writer.field(ident.query_version)
            .field(std::uint64_t{ident.query_body.size()})
            .end_header()
            .body(ident.query_body)
            .finish();
    }

    Result<MessageBytes> operator()(const Query& query) const {
        TOMBOLO_TRY_VOID(detail::check_session(query.session));
        if (dialect.mode == SyncMode::partition) {
            return wrong_mode("QUERY exists in flexible sync only");
        }
        if (query.version.value < 0) {
            return Error(ErrorCode::invalid_argument, "a query version is negative");
        }
        return MessageWriter("query")
            .field(query.session)
            .field(query.version)
            .field(std::uint64_t{query.query_body.size()})
            .end_header()
            .body(query.query_body)
            .finish();
    }

    Result<MessageBytes> operator()(const Upload& upload) const {
        TOMBOLO_TRY_VOID(detail::check_session(upload.session));
        MessageWriter writer("upload");
        writer.field(upload.session);
        detail::write_body_fields(writer, upload.body);
        return writer.field(upload.progress.client)
            .field(upload.progress.server)
            .field(upload.locked)
            .end_header()
            .body(upload.body.wire)
            .finish();
    }

    Result<MessageBytes> operator()(const Mark& mark) const { return detail::encode_mark(mark); }

    Result<MessageBytes> operator()(const Unbind& unbind) const {
        TOMBOLO_TRY_VOID(detail::check_session(unbind.session));
        return MessageWriter("unbind").field(unbind.session).end_header().finish();
    }

    Result<MessageBytes> operator()(const Ping& ping) const {
        return MessageWriter("ping")
            .field(ping.timestamp_ms)
            .field(ping.round_trip_ms)
            .end_header()
            .finish();
    }

    Result<MessageBytes> operator()(const ClientError& error) const {
        TOMBOLO_TRY_VOID(detail::check_session(error.session));
        if (error.code < 0) {
            return Error(ErrorCode::invalid_argument, "an error code is negative");
        }
        TOMBOLO_TRY(const std::string body, write_client_error_body(error.message));
        return MessageWriter("json_error")
            .field(static_cast<std::uint64_t>(error.code))
            .field(std::uint64_t{body.size()})
            .field(error.session)
            .end_header()
            .body(body)
            .finish();
    }

    Result<MessageBytes> operator()(const TestCommand& command) const {
        return detail::encode_test_command(command);
    }
};

} // namespace

Result<ClientMessage> parse_client_message(ByteView message, Dialect dialect,
                                           const ParseLimits& parse_limits) {
    TOMBOLO_TRY_VOID(detail::check_message_size(message, parse_limits));
    HeaderReader reader(message);
    const std::string_view type = reader.type();
    if (type == "upload") {
        return parse_upload(reader, parse_limits);
    }
    if (type == "bind") {
        return parse_bind(reader, dialect);
    }
    if (type == "ident") {
        return parse_ident(reader, dialect);
    }
    if (type == "query" && dialect.mode == SyncMode::flexible) {
        return parse_query(reader);
    }
    if (type == "mark") {
        return finished<ClientMessage>(reader, detail::read_mark(reader));
    }
    if (type == "unbind") {
        return parse_unbind(reader);
    }
    if (type == "ping") {
        return parse_ping(reader);
    }
    if (type == "json_error") {
        return parse_client_error(reader);
    }
    if (type == "test_command") {
        return finished<ClientMessage>(
            reader, detail::read_test_command(reader, limits::client_json_bytes_max));
    }
    return detail::unknown_message(reader);
}

Result<MessageBytes> encode_client_message(const ClientMessage& message, Dialect dialect) {
    return std::visit(ClientEncoder{dialect}, message);
}

} // namespace tombolo::protocol
