// For any message: what is encoded parses, and encodes to the same bytes. For any bytes: an error
// or a message, never anything else.

#include <cstdlib>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "protocol/support.hpp"

namespace tombolo::protocol::test {

namespace {

std::uint64_t any_number() {
    // Small numbers, powers of ten and the largest: where digits change.
    return *rc::gen::oneOf(rc::gen::inRange<std::uint64_t>(0, 1000),
                           rc::gen::inRange<std::uint64_t>(0, limits::number_max),
                           rc::gen::element<std::uint64_t>(9, 10, 99, 100, limits::number_max));
}

std::uint64_t any_positive() {
    return std::max<std::uint64_t>(1, any_number());
}

/// Text with what JSON escapes and characters of 1 to 4 bytes.
std::string any_text() {
    const auto parts = *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
        "a", "b", " ", "\"", "\\", "/", "\n", "\t", std::string(1, '\0'), "\x01", "\x7f",
        "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x8f\x9d", "{}", "[1]", "name == 'x'"));
    std::string text;
    for (const std::string& part : parts) {
        text += part;
    }
    return text;
}

std::string any_bytes() {
    return *rc::gen::arbitrary<std::string>();
}

Salt any_salt() {
    const auto salt = *rc::gen::arbitrary<std::int64_t>();
    return {salt == 0 ? 1 : salt};
}

SyncProgress any_progress() {
    return {{{any_number()}, {any_number()}},
            {{any_number()}, any_salt()},
            {{any_number()}, {any_number()}}};
}

QueryVersion any_query_version() {
    return {static_cast<std::int64_t>(any_number())};
}

Dialect any_dialect() {
    return {*rc::gen::element(ProtocolVersion::v11, ProtocolVersion::v12, ProtocolVersion::v13,
                              ProtocolVersion::v14),
            *rc::gen::element(SyncMode::flexible, SyncMode::partition)};
}

template <class T>
std::optional<T> maybe(T value) {
    return *rc::gen::arbitrary<bool>() ? std::optional<T>(std::move(value)) : std::nullopt;
}

PrimaryKey any_key() {
    switch (*rc::gen::inRange(0, 5)) {
    case 0:
        return {};
    case 1:
        return *rc::gen::arbitrary<std::int64_t>();
    case 2:
        return any_bytes();
    case 3: {
        ObjectId id;
        id.bytes.fill(static_cast<std::byte>(*rc::gen::inRange(0, 256)));
        return id;
    }
    default: {
        Uuid id;
        id.bytes.fill(static_cast<std::byte>(*rc::gen::inRange(0, 256)));
        return id;
    }
    }
}

/// What the message structs borrow from; outlives the message of one run.
struct Storage {
    std::string text;
    std::string other_text;
    std::vector<std::byte> plain;
    std::vector<std::byte> compressed;
};

Body any_body(Storage& storage) {
    const CompressionOptions options{*rc::gen::inRange(1, 10), 0};
    return *rc::gen::arbitrary<bool>() ? compress_body(storage.plain, options, storage.compressed)
                                       : Body::plain(storage.plain);
}

Body any_upload_body(Storage& storage) {
    const auto changesets = *rc::gen::arbitrary<std::vector<std::string>>();
    for (const std::string& changeset : changesets) {
        append_entry(
            storage.plain,
            UploadEntry{
                {any_number()}, {any_number()}, any_number(), {any_number()}, as_bytes(changeset)});
    }
    return any_body(storage);
}

Body any_download_body(Storage& storage) {
    const auto changesets = *rc::gen::arbitrary<std::vector<std::string>>();
    for (const std::string& changeset : changesets) {
        append_entry(storage.plain, DownloadEntry{{any_number()},
                                                  {any_number()},
                                                  any_number(),
                                                  {any_number()},
                                                  any_number(),
                                                  as_bytes(changeset)});
    }
    return any_body(storage);
}

ClientMessage any_client_message(SyncMode mode, Storage& storage) {
    const SessionIdent session{any_positive()};
    storage.text = any_text();
    storage.other_text = any_bytes();
    switch (*rc::gen::inRange(0, mode == SyncMode::flexible ? 9 : 8)) {
    case 0: {
        Bind bind{session, *rc::gen::arbitrary<bool>(), *rc::gen::arbitrary<bool>(),
                  storage.other_text, PartitionBind{storage.text}};
        if (mode == SyncMode::flexible) {
            bind.data = FlexibleBind{
                maybe(any_text()), maybe(any_number()),
                maybe(*rc::gen::element(SessionReason::sync, SessionReason::client_reset))};
        }
        return bind;
    }
    case 1: {
        const SyncProgress progress = any_progress();
        return ClientIdent{session,         {{any_number()}, any_salt()}, progress.download,
                           progress.latest, any_query_version(),          storage.text};
    }
    case 2:
        return Upload{
            session, {{any_number()}, {any_number()}}, {any_number()}, any_upload_body(storage)};
    case 3:
        return Mark{session, {any_number()}};
    case 4:
        return Unbind{session};
    case 5:
        return Ping{*rc::gen::arbitrary<std::int64_t>(), *rc::gen::arbitrary<std::int64_t>()};
    case 6:
        return ClientError{session, *rc::gen::inRange(0, 1000), any_text()};
    case 7:
        return TestCommand{session, {any_number()}, storage.text};
    default:
        return Query{session, any_query_version(), storage.text};
    }
}

JsonError any_json_error() {
    std::vector<SyncErrorCode> codes;
    for (const SyncErrorInfo& info : sync_error_table()) {
        if (info.sending == ErrorSending::server) {
            codes.push_back(info.code);
        }
    }
    const SyncErrorCode code = *rc::gen::elementOf(codes);
    JsonError error = make_json_error(code, {any_positive()}, any_text());
    error.body.log_url = any_text();
    error.body.try_again = *rc::gen::arbitrary<bool>();
    error.body.is_recovery_mode_disabled = *rc::gen::arbitrary<bool>();
    error.body.backoff = maybe(ErrorBackoff{*rc::gen::arbitrary<std::int64_t>(), 300, 2});
    if (code == SyncErrorCode::migrate_to_flexible_sync) {
        error.body.partition_query = "q" + any_text();
    } else if (code == SyncErrorCode::schema_version_changed) {
        error.body.previous_schema_version = any_number();
    } else if (code == SyncErrorCode::compensating_write) {
        RejectedWrites writes{{any_number()}, ServerVersion{any_number()}, {}};
        for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
            writes.updates.push_back({any_text(), any_key(), any_text()});
        }
        error.body.rejected = std::move(writes);
    }
    return error;
}

ServerMessage any_server_message(SyncMode mode, Storage& storage) {
    const SessionIdent session{any_positive()};
    storage.text = any_bytes();
    switch (*rc::gen::inRange(0, mode == SyncMode::flexible ? 10 : 9)) {
    case 0:
        return ServerIdent{session, {{any_positive()}, any_salt()}};
    case 1: {
        Download download;
        download.session = session;
        download.progress = any_progress();
        download.query_version = any_query_version();
        download.batch_state = *rc::gen::element(BatchState::bootstrap_more,
                                                 BatchState::bootstrap_last, BatchState::steady);
        download.estimate = {*rc::gen::inRange(0, 10'001)};
        download.downloadable_bytes = any_number();
        download.body = any_download_body(storage);
        return download;
    }
    case 2:
        return Mark{session, {any_number()}};
    case 3:
        return Unbound{session};
    case 4:
        return Pong{*rc::gen::arbitrary<std::int64_t>()};
    case 5:
        return any_json_error();
    case 6:
        return LegacyError{session, 201, *rc::gen::arbitrary<bool>(), storage.text};
    case 7:
        return LogMessage{{any_number()},
                          {maybe(any_text()),
                           maybe(*rc::gen::element(LogLevel::fatal, LogLevel::trace)),
                           maybe(any_text())}};
    case 8:
        return TestCommand{session, {any_number()}, storage.text};
    default:
        return QueryError{session, *rc::gen::inRange(0, 1000), any_query_version(), storage.text};
    }
}

} // namespace

RC_GTEST_PROP(Properties, client_messages_come_back, ()) {
    Storage storage;
    const Dialect dialect = any_dialect();
    const ClientMessage message = any_client_message(dialect.mode, storage);
    const std::string text = encoded(message, dialect);
    const auto parsed = parse_client(text, dialect);
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(parsed->index() == message.index());
    RC_ASSERT(encoded(*parsed, dialect) == text);
    if (const auto* upload = std::get_if<Upload>(&*parsed)) {
        std::vector<std::byte> opened;
        const auto plain = open_body(upload->body, opened);
        RC_ASSERT(plain.has_value());
        RC_ASSERT(as_text(*plain) == as_text(storage.plain));
    }
}

RC_GTEST_PROP(Properties, server_messages_come_back, ()) {
    Storage storage;
    const Dialect dialect = any_dialect();
    const ServerMessage message = any_server_message(dialect.mode, storage);
    const std::string text = encoded(message, dialect);
    const auto parsed = parse_server(text, dialect);
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(parsed->index() == message.index());
    RC_ASSERT(encoded(*parsed, dialect) == text);
    if (const auto* error = std::get_if<JsonError>(&message)) {
        RC_ASSERT(std::get<JsonError>(*parsed).body == error->body);
    }
}

RC_GTEST_PROP(Properties, entries_come_back, ()) {
    Storage storage;
    any_upload_body(storage);
    UploadEntryReader reader(storage.plain);
    std::vector<std::byte> again;
    for (auto entry = reader.next(); entry.value(); entry = reader.next()) {
        append_entry(again, **entry);
    }
    RC_ASSERT(again == storage.plain);
}

RC_GTEST_PROP(Properties, query_bodies_come_back, ()) {
    QueryBody query;
    for (int i = *rc::gen::inRange(0, 5); i > 0; --i) {
        query["C" + any_text()] = any_text();
    }
    RC_ASSERT(parse_query_body(write_query_body(query)).value() == query);
}

RC_GTEST_PROP(Properties, a_changed_byte_gives_an_error_or_a_message_that_comes_back, ()) {
    Storage storage;
    const Dialect dialect = any_dialect();
    std::string text = encoded(any_client_message(dialect.mode, storage), dialect);
    const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
    text[at] = *rc::gen::element('0', '1', '9', ' ', '\n', '-', '\0', 'x');
    if (const auto parsed = parse_client(text, dialect)) {
        const std::string again = encoded(*parsed, dialect);
        RC_ASSERT(encoded(parse_client(again, dialect).value(), dialect) == again);
    }
}

RC_GTEST_PROP(Properties, no_cut_off_message_is_accepted, ()) {
    Storage storage;
    const Dialect dialect = any_dialect();
    const std::string text = encoded(any_server_message(dialect.mode, storage), dialect);
    const auto size = *rc::gen::inRange<std::size_t>(0, text.size());
    RC_ASSERT(!parse_server(text.substr(0, size), dialect).has_value());
    RC_ASSERT(!parse_server(text + "x", dialect).has_value());
}

} // namespace tombolo::protocol::test
