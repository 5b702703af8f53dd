#include "server/functions/confinement.hpp"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace tombolo::functions {

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t this_architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t this_architecture = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t this_architecture = 0; // no filter
#endif

// Every file right that the headers know: what a ruleset handles is denied unless a rule allows it.
constexpr std::uint64_t file_rights =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
constexpr std::uint64_t version_1_rights =
    file_rights | LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR |
    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
    LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;

long landlock_version() noexcept {
    return ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

void allow(long ruleset, const char* path) noexcept {
    const int file = ::open(path, O_PATH | O_CLOEXEC);
    if (file < 0) {
        return;
    }
    struct stat status {};
    const bool is_folder = ::fstat(file, &status) == 0 && S_ISDIR(status.st_mode);
    landlock_path_beneath_attr rule{};
    rule.parent_fd = file;
    rule.allowed_access = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE;
    if (is_folder) {
        rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
    }
    static_cast<void>(
        ::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0));
    ::close(file);
}

void confine_files(const std::vector<std::string>& readable) noexcept {
    const long version = landlock_version();
    if (version < 1) {
        return;
    }
    landlock_ruleset_attr attributes{};
    attributes.handled_access_fs = version_1_rights;
    if (version >= 2) {
        attributes.handled_access_fs |= LANDLOCK_ACCESS_FS_REFER;
    }
    if (version >= 3) {
        attributes.handled_access_fs |= std::uint64_t{1} << 14; // truncate
    }
    const long ruleset =
        ::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes.handled_access_fs, 0);
    if (ruleset < 0) {
        return;
    }
    for (const std::string& path : readable) {
        allow(ruleset, path.c_str());
    }
    static_cast<void>(::syscall(SYS_landlock_restrict_self, ruleset, 0));
    ::close(static_cast<int>(ruleset));
}

constexpr sock_filter statement(unsigned code, std::uint32_t value) noexcept {
    return {static_cast<std::uint16_t>(code), 0, 0, value};
}
constexpr sock_filter jump_if(unsigned test, std::uint32_t value, unsigned yes,
                              unsigned no) noexcept {
    return {static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), static_cast<std::uint8_t>(yes),
            static_cast<std::uint8_t>(no), value};
}
constexpr sock_filter load(std::size_t offset) noexcept {
    return statement(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}
constexpr sock_filter refuse(int error) noexcept {
    return statement(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error));
}

constexpr sock_filter pass = statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
constexpr std::size_t number_offset = offsetof(seccomp_data, nr);
// Little-endian: the low half of the first argument.
constexpr std::size_t argument_offset = offsetof(seccomp_data, args);

// Never needed by Node.js: tracing and changing processes, new programs' surroundings, and what
// takes work out of the filter's sight.
constexpr long refused_calls[] = {
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_tkill,
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    SYS_pidfd_open,
    SYS_pidfd_send_signal,
    SYS_pidfd_getfd,
    SYS_setpriority,
    SYS_ioprio_set,
    SYS_sched_setscheduler,
    SYS_sched_setparam,
    SYS_sched_setattr,
    SYS_migrate_pages,
    SYS_move_pages,
    SYS_kcmp,
    SYS_unshare,
    SYS_setns,
    SYS_mount,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_io_uring_setup,
    SYS_setsid,
    SYS_setpgid,
    SYS_shmat,
#if defined(SYS_fork)
    SYS_fork,
    SYS_vfork,
#endif
};

// Calls that may name this process and no other: by process id.
constexpr long own_process_calls[] = {SYS_kill, SYS_tgkill};

void confine_calls() noexcept {
    if (this_architecture == 0) {
        return;
    }
    const auto self = static_cast<std::uint32_t>(::getpid());
    std::array<sock_filter, 128> program{};
    std::size_t size = 0;
    const auto add = [&](sock_filter one) { program[size++] = one; };
    add(load(offsetof(seccomp_data, arch)));
    add(jump_if(BPF_JEQ, this_architecture, 1, 0));
    add(refuse(EPERM));
    add(load(number_offset));
#if defined(__x86_64__)
    // The x32 numbers would go around the list.
    add(jump_if(BPF_JGE, 0x4000'0000, 0, 1));
    add(refuse(EPERM));
#endif
    for (const long call : refused_calls) {
        add(jump_if(BPF_JEQ, static_cast<std::uint32_t>(call), 0, 1));
        add(refuse(EPERM));
    }
    for (const long call : own_process_calls) {
        add(jump_if(BPF_JEQ, static_cast<std::uint32_t>(call), 0, 4));
        add(load(argument_offset));
        add(jump_if(BPF_JEQ, self, 1, 0));
        add(refuse(EPERM));
        add(pass);
    }
    // Limits of this process only: 0 names it.
    add(jump_if(BPF_JEQ, SYS_prlimit64, 0, 5));
    add(load(argument_offset));
    add(jump_if(BPF_JEQ, self, 2, 0));
    add(jump_if(BPF_JEQ, 0, 1, 0));
    add(refuse(EPERM));
    add(pass);
    // Threads yes, processes no. clone3 hides its flags in memory; libc falls back to clone.
    add(jump_if(BPF_JEQ, SYS_clone3, 0, 1));
    add(refuse(ENOSYS));
    add(jump_if(BPF_JEQ, SYS_clone, 0, 4));
    add(load(argument_offset));
    add(jump_if(BPF_JSET, CLONE_THREAD, 1, 0));
    add(refuse(EPERM));
    add(pass);
    add(pass);
    const sock_fprog filter{static_cast<unsigned short>(size), program.data()};
    static_cast<void>(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter));
}

void limit(int resource, rlim_t value) noexcept {
    const rlimit both{value, value};
    static_cast<void>(::setrlimit(static_cast<__rlimit_resource>(resource), &both));
}

} // namespace

std::vector<std::string> readable_paths(const std::string& node,
                                        const std::vector<std::string>& folders) {
    std::vector<std::string> paths = {"/usr",
                                      "/lib",
                                      "/lib64",
                                      "/bin",
                                      "/etc/ssl",
                                      "/etc/ca-certificates",
                                      "/etc/pki",
                                      "/etc/resolv.conf",
                                      "/etc/hosts",
                                      "/etc/host.conf",
                                      "/etc/gai.conf",
                                      "/etc/nsswitch.conf",
                                      "/etc/services",
                                      "/etc/localtime",
                                      "/etc/ld.so.cache",
                                      "/run/systemd/resolve",
                                      "/dev/null",
                                      "/dev/urandom",
                                      "/proc/meminfo",
                                      "/proc/stat"};
    std::error_code error;
    const std::filesystem::path real = std::filesystem::canonical(node, error);
    if (!error) {
        // Its libraries stand beside it: PREFIX/bin/node, PREFIX/lib.
        paths.push_back(real.string());
        const std::filesystem::path prefix = real.parent_path().parent_path();
        if (prefix != prefix.root_path()) {
            paths.push_back((prefix / "lib").string());
        }
    }
    paths.insert(paths.end(), folders.begin(), folders.end());
    return paths;
}

void confine(const Confinement& confinement) noexcept {
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, 256);
    if (confinement.data_bytes_max > 0) {
        limit(RLIMIT_DATA, confinement.data_bytes_max);
    }
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return;
    }
    confine_files(confinement.readable);
    confine_calls();
}

bool has_landlock() noexcept {
    return landlock_version() >= 1;
}

} // namespace tombolo::functions
