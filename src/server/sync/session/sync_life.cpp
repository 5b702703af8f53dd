#include "server/sync/session/sync_life.hpp"

#include "core/bytes.hpp"
#include "core/record_codec.hpp"

namespace tombolo::server::sync {

using store::Space;

namespace {

constexpr std::uint64_t format = 1;

std::string key_of(const ObjectId& app, const char* what) {
    return "sync/" + to_hex(app.bytes) + "/" + what;
}

Result<void> commit(store::Store& store, store::Transaction transaction) {
    TOMBOLO_TRY([[maybe_unused]] const store::Version done, store.commit(std::move(transaction)));
    return {};
}

} // namespace

Result<std::optional<SyncFailure>> stored_failure(const store::Snapshot& snapshot,
                                                  const ObjectId& app) {
    TOMBOLO_TRY(const std::optional<std::string> record,
                snapshot.record(Space::meta, key_of(app, "failure")));
    if (!record) {
        return std::optional<SyncFailure>();
    }
    RecordReader in(*record);
    static_cast<void>(in.number());
    SyncFailure failure;
    failure.time_ms = static_cast<std::int64_t>(in.number());
    failure.name = in.text();
    failure.message = in.text();
    TOMBOLO_TRY_VOID(in.finish("failure of sync"));
    return std::optional(std::move(failure));
}

Result<void> store_failure(store::Store& store, const ObjectId& app, const SyncFailure& failure) {
    RecordWriter out;
    out.number(format)
        .number(static_cast<std::uint64_t>(failure.time_ms))
        .text(failure.name)
        .text(failure.message);
    store::Transaction transaction;
    transaction.put_record(Space::meta, key_of(app, "failure"), out.take());
    return commit(store, std::move(transaction));
}

Result<std::optional<std::int64_t>> last_active(const store::Snapshot& snapshot,
                                                const ObjectId& app) {
    TOMBOLO_TRY(const std::optional<std::string> record,
                snapshot.record(Space::meta, key_of(app, "active")));
    if (!record) {
        return std::optional<std::int64_t>();
    }
    RecordReader in(*record);
    static_cast<void>(in.number());
    const auto at = static_cast<std::int64_t>(in.number());
    TOMBOLO_TRY_VOID(in.finish("last use of sync"));
    return std::optional(at);
}

Result<void> store_active(store::Store& store, const ObjectId& app, std::int64_t unix_ms) {
    RecordWriter out;
    out.number(format).number(static_cast<std::uint64_t>(unix_ms));
    store::Transaction transaction;
    transaction.put_record(Space::meta, key_of(app, "active"), out.take());
    return commit(store, std::move(transaction));
}

Result<void> forget_active(store::Store& store, const ObjectId& app) {
    store::Transaction transaction;
    transaction.erase_record(Space::meta, key_of(app, "active"));
    return commit(store, std::move(transaction));
}

Result<void> forget_life(store::Store& store, const ObjectId& app) {
    store::Transaction transaction;
    transaction.erase_record(Space::meta, key_of(app, "active"));
    transaction.erase_record(Space::meta, key_of(app, "failure"));
    return commit(store, std::move(transaction));
}

} // namespace tombolo::server::sync
