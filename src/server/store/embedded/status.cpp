#include "server/store/embedded/status.hpp"

namespace tombolo::store::embedded {

Error to_error(const rocksdb::Status& status, const std::string& doing) {
    const std::string said = status.ToString();
    if (status.IsNoSpace()) {
        return Error(ErrorCode::disk_full,
                     "cannot " + doing + ": the disk is full; free some space, then try again",
                     said);
    }
    if (status.IsCorruption()) {
        return Error(ErrorCode::store_corrupt,
                     "cannot " + doing +
                         ": the store's files are damaged; verify it and restore a backup",
                     said);
    }
    if (status.IsBusy() || said.find("LOCK") != std::string::npos ||
        said.find("lock hold") != std::string::npos) {
        return Error(ErrorCode::io, "cannot " + doing + ": another process has the store open",
                     said);
    }
    return Error(ErrorCode::io, "cannot " + doing + ": the disk or its file system failed", said);
}

} // namespace tombolo::store::embedded
