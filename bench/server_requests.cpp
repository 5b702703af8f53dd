#include "server_requests.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <memory>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "reference/fixed_reply.hpp"
#include "server_load.hpp"
#include "server_process.hpp"

namespace tombolo::bench {

namespace {

constexpr int repetitions = 7;
constexpr unsigned load_connections = 32;
const std::string api = "/api/client/v2.0/app/field-notes-tmblo";
const std::string credentials_register =
    R"({"email":"bench@example.com","password":"correct horse"})";
const std::string credentials_login =
    R"({"username":"bench@example.com","password":"correct horse"})";

std::string post(const std::string& path, const std::string& body) {
    return "POST " + path +
           " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
}

// tombolod with the example app and one user who is signed in.
struct Subject {
    explicit Subject(const std::string& name)
        : daemon(ServerProcess::start_daemon(
              {program_folder() + "/tombolod", "--data", scratch_folder() + "/" + name, "--listen",
               "127.0.0.1:0", "--app", "examples/field-notes", "--requests-per-minute", "0",
               "--log-file", scratch_folder() + "/" + name + ".log"})) {
        const int socket = connect_to(daemon.port());
        const std::string provider = api + "/auth/providers/local-userpass";
        if (ask(socket, post(provider + "/register", credentials_register)).status != 201) {
            give_up("cannot register a user");
        }
        login = post(provider + "/login", credentials_login);
        const Reply reply = ask(socket, login);
        if (reply.status != 200) {
            give_up("cannot log in: " + reply.body);
        }
        const auto token = boost::json::parse(reply.body).as_object().at("access_token");
        profile = "GET /api/client/v2.0/auth/profile HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                  "Authorization: Bearer " +
                  std::string(token.get_string()) + "\r\n\r\n";
        const Reply shown = ask(socket, profile);
        if (shown.status != 200) {
            give_up("cannot read the profile: " + shown.body);
        }
        profile_body = shown.body;
        ::close(socket);
    }

    ServerProcess daemon;
    std::string login;
    std::string profile;
    std::string profile_body;
};

LoadResult load(const ServerProcess& server, const std::string& request, double seconds,
                double rate = 0) {
    LoadOptions options;
    options.port = server.port();
    options.request = request;
    options.connections = load_connections;
    options.seconds = seconds;
    options.rate = rate;
    LoadResult result = run_load(options);
    if (result.wrong > 0) {
        give_up("requests under load were answered with an error");
    }
    return result;
}

// Computes at the lowest priority, and nothing else, in a process of its own while this lives.
class IdleBurner {
  public:
    IdleBurner() : pid_(::fork()) {
        if (pid_ == 0) {
            const sched_param none{};
            ::sched_setscheduler(0, SCHED_IDLE, &none);
            for (std::atomic<unsigned> turns{0};; turns.fetch_add(1, std::memory_order_relaxed)) {
            }
        }
    }
    ~IdleBurner() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    IdleBurner(const IdleBurner&) = delete;
    IdleBurner& operator=(const IdleBurner&) = delete;

  private:
    const pid_t pid_;
};

} // namespace

void bench_profile() {
    const Subject subject("profile");
    // The same request and the same bytes back, only that nothing is looked up.
    const ServerProcess fixed = ServerProcess::fork_server(
        [&](int port_pipe) { serve_fixed_reply(port_pipe, subject.profile_body); });
    std::vector<double> profile_rps;
    std::vector<double> fixed_rps;
    load(subject.daemon, subject.profile, 0.5);
    load(fixed, subject.profile, 0.5);
    for (int i = 0; i < repetitions; ++i) {
        fixed_rps.push_back(load(fixed, subject.profile, 1).per_second);
        profile_rps.push_back(load(subject.daemon, subject.profile, 1).per_second);
    }
    const double profile = median(profile_rps);
    const double reference = median(fixed_rps);
    print("profile_rps", profile, "requests/s", "the same listener's fixed reply", reference,
          profile / reference);

    std::vector<double> profile_spread;
    std::vector<double> fixed_spread;
    for (int i = 0; i < repetitions; ++i) {
        const LoadResult theirs = load(fixed, subject.profile, 2, 0.8 * reference);
        const LoadResult ours = load(subject.daemon, subject.profile, 2, 0.8 * profile);
        fixed_spread.push_back(theirs.p99_us / theirs.p50_us);
        profile_spread.push_back(ours.p99_us / ours.p50_us);
    }
    print("profile_p99", median(profile_spread), "p99/p50 at 80% load", "the fixed reply's",
          median(fixed_spread), median(profile_spread) / median(fixed_spread));
}

void bench_login_isolation() {
    const Subject subject("login");
    const double rate = 0.25 * load(subject.daemon, subject.profile, 1).per_second;
    LoadOptions logins;
    logins.port = subject.daemon.port();
    logins.request = subject.login;
    logins.connections = 8;
    logins.status = 0; // beyond the queue the answer is 429
    std::vector<double> alone_us;
    std::vector<double> burner_us;
    std::vector<double> beside_us;
    for (int i = 0; i < repetitions; ++i) {
        alone_us.push_back(load(subject.daemon, subject.profile, 2, rate).p99_us);
        {
            const IdleBurner burner;
            burner_us.push_back(load(subject.daemon, subject.profile, 2, rate).p99_us);
        }
        // The logins run from before the profile requests until after them.
        logins.seconds = 3;
        const std::vector<double> both = in_child([&] {
            const pid_t other = ::fork();
            if (other == 0) {
                run_load_here(logins);
                ::_exit(0);
            }
            ::usleep(500'000);
            LoadOptions profiles;
            profiles.port = subject.daemon.port();
            profiles.request = subject.profile;
            profiles.connections = load_connections;
            profiles.seconds = 2;
            profiles.rate = rate;
            return std::vector<double>{run_load_here(profiles).p99_us};
        });
        beside_us.push_back(both.front());
        ::sleep(1); // the logins' process ends
    }
    // What no server can do better: how the system serves the load beside any idle work.
    print("login_isolation_floor", median(burner_us),
          "us (p99) beside an idle process that computes", "p99 without logins", median(alone_us),
          median(burner_us) / median(alone_us));
    print("login_isolation", median(beside_us), "us (p99)", "p99 without logins", median(alone_us),
          median(beside_us) / median(alone_us));
}

void bench_idle_connections() {
    constexpr rlim_t connection_count = 8000;
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    const rlim_t needed = connection_count + 500;
    if (files.rlim_cur < needed) {
        files.rlim_cur = needed;
        files.rlim_max = std::max(files.rlim_max, needed);
        if (::setrlimit(RLIMIT_NOFILE, &files) != 0) {
            give_up("8,000 connections need a limit of open files of 8,500 (ulimit -n)");
        }
    }
    const Subject subject("idle");
    std::vector<double> bytes;
    // One run: the connections of an earlier one would leave their memory to the next.
    load(subject.daemon, subject.profile, 0.5);
    const std::uint64_t before = subject.daemon.resident_bytes();
    std::vector<int> sockets;
    for (rlim_t i = 0; i < connection_count; ++i) {
        sockets.push_back(connect_to(subject.daemon.port()));
        if (ask(sockets.back(), subject.profile).status != 200) {
            give_up("a connection was not served");
        }
    }
    const std::uint64_t after = subject.daemon.resident_bytes();
    const double each =
        (static_cast<double>(after) - static_cast<double>(before)) / connection_count;
    // Still alive: the last thing an idle connection must be able to do.
    for (const std::size_t i : {std::size_t{0}, sockets.size() / 2, sockets.size() - 1}) {
        if (ask(sockets[i], subject.profile).status != 200) {
            give_up("an idle connection was dropped");
        }
    }
    for (const int socket : sockets) {
        ::close(socket);
    }
    print("idle_connection", each, "bytes", "bound: 12 KB", 12.0 * 1024, each / (12.0 * 1024));
}

} // namespace tombolo::bench
