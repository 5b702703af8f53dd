#pragma once

// What a worker process may do to its machine. Workers run an app's code under the server's user,
// so the kernel keeps them from what that user may: Landlock from files other than Node.js, system
// libraries and the app's dependencies; a system call filter from signalling, tracing or changing
// other processes and from starting programs; resource limits from memory and descriptors.
//
// confine() is called between fork and exec: it allocates nothing and takes no lock. Everything it
// needs is prepared before. Where the kernel lacks a part (Landlock before Linux 5.13), the others
// hold.

#include <cstddef>
#include <string>
#include <vector>

namespace tombolo::functions {

struct Confinement {
    /// Files and folders that may be read and run; those that do not exist are left out.
    std::vector<std::string> readable;
    std::size_t data_bytes_max = 0; ///< private memory, RLIMIT_DATA
};

/// The paths that Node.js itself needs, and `folders`.
std::vector<std::string> readable_paths(const std::string& node,
                                        const std::vector<std::string>& folders);

/// Applies all of it to this process. What the kernel does not know is left out.
void confine(const Confinement& confinement) noexcept;

/// Whether this kernel keeps workers from the file system.
bool has_landlock() noexcept;

} // namespace tombolo::functions
