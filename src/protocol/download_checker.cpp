#include "protocol/download_checker.hpp"

namespace tombolo::protocol {

namespace {

using Verdict = DownloadChecker::Verdict;

DownloadViolation violation(DownloadFault fault, std::string_view rule, std::string message) {
    return {fault, rule, std::move(message)};
}

DownloadViolation drop(std::string_view rule, std::string message) {
    return violation(DownloadFault::drop_connection, rule, std::move(message));
}

std::string comparison(const char* what, std::uint64_t value, const char* relation,
                       std::uint64_t bound) {
    return std::string(what) + " is " + std::to_string(value) + ", " + relation + " " +
           std::to_string(bound);
}

} // namespace

Verdict DownloadChecker::check_cursors(const Download& download,
                                       std::optional<ClientVersion> newest_local) const {
    const SyncProgress& next = download.progress;
    const SyncProgress& last = progress_;
    if (next.latest.version < last.latest.version) {
        return drop("4.7 A header 3",
                    comparison("the latest server version", next.latest.version.value,
                               "less than before:", last.latest.version.value));
    }
    if (next.upload.client < last.upload.client) {
        return drop("4.7 A header 4", comparison("the upload cursor", next.upload.client.value,
                                                 "less than before:", last.upload.client.value));
    }
    if (newest_local && next.upload.client > *newest_local) {
        return drop("4.7 A header 4",
                    comparison("the upload cursor", next.upload.client.value,
                               "beyond the newest local version", newest_local->value));
    }
    if (next.download.server < last.download.server) {
        return drop("4.7 A header 5", comparison("the download cursor", next.download.server.value,
                                                 "less than before:", last.download.server.value));
    }
    if (next.download.server > next.latest.version) {
        return drop("4.7 A header 5",
                    comparison("the download cursor", next.download.server.value,
                               "beyond the latest server version", next.latest.version.value));
    }
    if (next.download.client < last.download.client) {
        return drop("4.7 A header 6",
                    comparison("the integrated client version", next.download.client.value,
                               "less than before:", last.download.client.value));
    }
    if (next.download.client > next.upload.client) {
        return drop("4.7 A header 6",
                    comparison("the integrated client version", next.download.client.value,
                               "beyond the upload cursor", next.upload.client.value));
    }
    if (next.download.server < next.upload.server) {
        return drop("4.7 A header 7", comparison("the download cursor", next.download.server.value,
                                                 "less than the upload cursor's server version",
                                                 next.upload.server.value));
    }
    if (next.upload.server.value != 0 && next.upload.server < last.upload.server) {
        return violation(DownloadFault::bad_progress, "4.7 B",
                         comparison("the upload cursor's server version", next.upload.server.value,
                                    "less than before:", last.upload.server.value));
    }
    return std::nullopt;
}

Verdict DownloadChecker::check_server_rules(const Download& download) const {
    const auto broken = [](std::string_view rule, const char* message) {
        return violation(DownloadFault::server_rule, rule, message);
    };
    const SyncProgress& next = download.progress;
    if (next.latest.version != next.download.server) {
        return broken("S37", "the latest server version differs from the download cursor");
    }
    if (next.latest.version.value > 0 && next.latest.salt.value == 0) {
        return broken("3.2", "the latest server version has no salt");
    }
    if ((next.download.server.value == 0 && next.download.client.value != 0) ||
        (next.upload.client.value == 0 && next.upload.server.value != 0)) {
        return broken("4.3", "a cursor at 0 has a second part that is not 0");
    }
    if (mode_ == SyncMode::partition) {
        return std::nullopt;
    }
    if (download.batch_state == BatchState::steady) {
        if (open_bootstrap_) {
            return broken("S19", "steady state inside a bootstrap");
        }
    } else if ((open_bootstrap_ && download.query_version != *open_bootstrap_) ||
               (last_bootstrap_ && download.query_version < *last_bootstrap_)) {
        return broken("S17", "bootstraps whose query versions do not increase");
    }
    return std::nullopt;
}

Verdict DownloadChecker::begin(const Download& download,
                               std::optional<ClientVersion> newest_local) {
    if (auto found = check_cursors(download, newest_local)) {
        return found;
    }
    if (side_ == CheckedSide::server_output) {
        if (auto found = check_server_rules(download)) {
            return found;
        }
    }
    header_ = download.progress;
    query_version_ = download.query_version;
    batch_state_ = mode_ == SyncMode::partition ? BatchState::steady : download.batch_state;
    last_entry_ = progress_.download;
    entry_count_ = 0;
    return std::nullopt;
}

Verdict DownloadChecker::entry(const DownloadEntry& entry) {
    if (entry.server_version.value == 0) {
        return drop("4.7 A entry 1", "an entry has server version 0");
    }
    if (entry.server_version < last_entry_.server ||
        (mode_ == SyncMode::partition && entry.server_version == last_entry_.server)) {
        return drop("4.7 A entry 2",
                    comparison("an entry's server version", entry.server_version.value, "not after",
                               last_entry_.server.value));
    }
    if (entry.server_version > header_.download.server) {
        return drop("4.7 A entry 2",
                    comparison("an entry's server version", entry.server_version.value,
                               "beyond the download cursor", header_.download.server.value));
    }
    if (entry.client_version < last_entry_.client) {
        return drop("4.7 A entry 3",
                    comparison("an entry's client version", entry.client_version.value,
                               "less than before:", last_entry_.client.value));
    }
    if (entry.client_version > header_.download.client) {
        return drop("4.7 A entry 3",
                    comparison("an entry's client version", entry.client_version.value,
                               "beyond the integrated client version",
                               header_.download.client.value));
    }
    if (entry.origin.value == 0) {
        return drop("4.7 A entry 4", "an entry has origin 0");
    }
    if (entry.origin == own_ident_) {
        return drop("4.7 A entry 4", "an entry has the receiver's own ident as origin");
    }
    last_entry_ = {entry.server_version, entry.client_version};
    ++entry_count_;
    return std::nullopt;
}

Verdict DownloadChecker::finish() {
    if (batch_state_ != BatchState::steady) {
        // The first batch of another version discards what was unfinished.
        if (open_bootstrap_ != query_version_) {
            open_bootstrap_ = query_version_;
            bootstrap_entry_count_ = 0;
        }
        bootstrap_entry_count_ += entry_count_;
    }
    if (batch_state_ == BatchState::bootstrap_more) {
        return std::nullopt;
    }
    if (batch_state_ == BatchState::bootstrap_last) {
        if (bootstrap_entry_count_ == 0) {
            return violation(DownloadFault::crash_hazard, "4.7 C 1",
                             "a bootstrap holds no changeset at all");
        }
        last_bootstrap_ = open_bootstrap_;
        open_bootstrap_.reset();
    }
    const ServerVersion upload_server = header_.upload.server;
    header_.upload.server = upload_server.value == 0 ? progress_.upload.server : upload_server;
    progress_ = header_;
    return std::nullopt;
}

Verdict DownloadChecker::check(const Download& download, ByteView opened_body,
                               std::optional<ClientVersion> newest_local) {
    if (auto found = begin(download, newest_local)) {
        return found;
    }
    DownloadEntryReader reader(opened_body);
    for (;;) {
        const auto next = reader.next();
        if (!next) {
            return drop("4.7 A entry 1", next.error().what());
        }
        if (!*next) {
            return finish();
        }
        if (auto found = entry(**next)) {
            return found;
        }
    }
}

} // namespace tombolo::protocol
