#include "server/auth/expiry.hpp"

#include <functional>
#include <string>

#include "server/auth/records.hpp"

namespace tombolo::auth {

namespace {

using store::Space;

constexpr std::size_t batch_bytes = std::size_t{64} * 1024;
constexpr std::int64_t day_ms = 24 * 3600 * 1000;

struct Finding {
    store::Transaction& transaction;
    std::string key;
    std::string value;
};

/// Looks at every record whose key starts with `prefix`; `judge` adds to the transaction what is to
/// change and answers how many records it removed. Commits in batches.
Result<std::uint64_t> sweep(store::Store& store, const std::string& prefix,
                            const std::function<bool(Finding)>& judge) {
    std::uint64_t removed = 0;
    store::Transaction transaction;
    const auto snapshot = store.snapshot();
    std::string end = prefix;
    ++end.back();
    const auto cursor = snapshot->scan_records(Space::meta, prefix, end);
    const auto commit = [&]() -> Result<void> {
        const Result<store::Version> written = store.commit(std::exchange(transaction, {}));
        // Somebody changed one of them meanwhile: the next sweep looks at all again.
        if (!written && written.error().code() != ErrorCode::write_conflict) {
            return written.error();
        }
        return {};
    };
    while (cursor->next()) {
        if (judge({transaction, std::string(cursor->key()), std::string(cursor->value())})) {
            ++removed;
        }
        if (transaction.bytes() > batch_bytes) {
            TOMBOLO_TRY_VOID(commit());
        }
    }
    TOMBOLO_TRY_VOID(cursor->status());
    if (!transaction.empty()) {
        TOMBOLO_TRY_VOID(commit());
    }
    return removed;
}

} // namespace

Result<Expired> remove_expired(store::Store& store, std::int64_t now_ms) {
    Expired out;
    TOMBOLO_TRY(out.sessions, sweep(store, "sessions/", [now_ms](const Finding& finding) {
                    const Result<Session> session = decode_session(finding.value);
                    if (!session || session->expires_ms > now_ms) {
                        return false;
                    }
                    // sessions/<app>/<session>
                    const std::size_t slash = finding.key.rfind('/');
                    const auto app = ObjectId::parse(finding.key.substr(9, slash - 9));
                    if (!app) {
                        return false;
                    }
                    finding.transaction.erase_record(Space::meta, finding.key);
                    finding.transaction.erase_record(Space::meta,
                                                     Keys(*app).user_sessions(session->user) +
                                                         finding.key.substr(slash + 1));
                    return true;
                }));
    TOMBOLO_TRY(out.mail_tokens, sweep(store, "mail-tokens/", [now_ms](const Finding& finding) {
                    const Result<MailToken> token = decode_mail_token(finding.value);
                    if (!token || token->expires_ms > now_ms) {
                        return false;
                    }
                    finding.transaction.erase_record(Space::meta, finding.key);
                    return true;
                }));
    TOMBOLO_TRY(out.devices, sweep(store, "devices/", [now_ms](const Finding& finding) {
                    const std::int64_t seen = decode_device(finding.value);
                    if (seen == 0) { // written before the day was kept: counts from now
                        finding.transaction.replace_record(Space::meta, finding.key, finding.value,
                                                           encode_device(now_ms));
                        return false;
                    }
                    if (now_ms - seen < devices_kept_days * day_ms) {
                        return false;
                    }
                    finding.transaction.replace_record(Space::meta, finding.key, finding.value,
                                                       std::nullopt);
                    return true;
                }));
    return out;
}

} // namespace tombolo::auth
