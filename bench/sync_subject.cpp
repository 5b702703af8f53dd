#include "sync_subject.hpp"

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "cities.hpp"
#include "server_load.hpp"
#include "sync_notes.hpp"

namespace tombolo::bench {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t logging_in_max = 32;

std::string tls_file(const char* name) {
    return scratch_folder() + "/" + name;
}

// A self-signed certificate; nobody checks it.
void make_certificate() {
    if (fs::exists(tls_file("cert.pem"))) {
        return;
    }
    EVP_PKEY* const key = ::EVP_EC_gen("P-256");
    X509* const certificate = ::X509_new();
    ::X509_set_version(certificate, 2);
    ::ASN1_INTEGER_set(::X509_get_serialNumber(certificate), 1);
    ::X509_gmtime_adj(::X509_getm_notBefore(certificate), -3600);
    ::X509_gmtime_adj(::X509_getm_notAfter(certificate), 24 * 3600);
    ::X509_set_pubkey(certificate, key);
    if (::X509_sign(certificate, key, ::EVP_sha256()) == 0) {
        give_up("cannot make a certificate");
    }
    std::FILE* const key_file = std::fopen(tls_file("key.pem").c_str(), "w");
    ::PEM_write_PrivateKey(key_file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(key_file);
    std::FILE* const file = std::fopen(tls_file("cert.pem").c_str(), "w");
    ::PEM_write_X509(file, certificate);
    std::fclose(file);
    ::X509_free(certificate);
    ::EVP_PKEY_free(key);
}

std::string get(const std::string& path) {
    return "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
}

std::string member(const std::string& json, const std::string& name) {
    const std::string start = "\"" + name + "\":\"";
    const std::size_t at = json.find(start);
    if (at == std::string::npos) {
        give_up("an answer has no " + name + ": " + json);
    }
    const std::size_t begin = at + start.size();
    return json.substr(begin, json.find('"', begin) - begin);
}

} // namespace

SyncSubject::SyncSubject(const std::string& name) : directory_(scratch_folder() + "/" + name) {
    fs::remove_all(directory_);
    start();
}

void SyncSubject::start(bool tls) {
    daemon_.reset();
    tls_ = tls;
    std::vector<std::string> arguments = {program_folder() + "/tombolod",
                                          "--data",
                                          directory_,
                                          "--listen",
                                          "127.0.0.1:0",
                                          "--metrics-listen",
                                          "127.0.0.1:0",
                                          "--app",
                                          "bench/sync_app",
                                          "--admin-user",
                                          "admin",
                                          "--admin-password",
                                          "password",
                                          "--requests-per-minute",
                                          "0",
                                          "--log-level",
                                          "warning",
                                          "--log-file",
                                          directory_ + ".log"};
    if (tls) {
        make_certificate();
        arguments.insert(arguments.end(),
                         {"--tls-cert", tls_file("cert.pem"), "--tls-key", tls_file("key.pem")});
    }
    daemon_.emplace(ServerProcess::start_daemon(arguments));
}

std::vector<std::string> SyncSubject::log_in(std::size_t count) const {
    static const std::string request =
        "POST /api/client/v2.0/app/bench-sync/auth/providers/anon-user/login HTTP/1.1\r\n"
        "Host: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    std::vector<int> sockets(std::min(count, logging_in_max));
    for (int& socket : sockets) {
        socket = connect_to(port());
    }
    std::vector<std::string> tokens;
    while (tokens.size() < count) {
        const std::size_t now = std::min(sockets.size(), count - tokens.size());
        for (std::size_t i = 0; i < now; ++i) {
            send_request(sockets[i], request);
        }
        for (std::size_t i = 0; i < now; ++i) {
            tokens.push_back(member(receive_reply(sockets[i]).body, "access_token"));
        }
    }
    for (const int socket : sockets) {
        ::close(socket);
    }
    return tokens;
}

FleetOptions SyncSubject::fleet() const {
    FleetOptions options;
    options.port = port();
    options.tls = tls_;
    options.schema = schema_changeset();
    return options;
}

double SyncSubject::cpu_seconds() const {
    clockid_t clock{};
    timespec time{};
    if (::clock_getcpuclockid(daemon_->pid(), &clock) != 0 || ::clock_gettime(clock, &time) != 0) {
        give_up("cannot read the server's processor time");
    }
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

std::uint64_t SyncSubject::peak_bytes() const {
    std::ifstream status("/proc/" + std::to_string(daemon_->pid()) + "/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmHWM:")) {
            return std::strtoull(line.c_str() + 6, nullptr, 10) * 1024;
        }
    }
    give_up("cannot read the server's memory");
}

void SyncSubject::reset_peak() const {
    std::ofstream("/proc/" + std::to_string(daemon_->pid()) + "/clear_refs") << 5;
}

std::uint64_t SyncSubject::messages_handled() const {
    const int socket = connect_to(daemon_->metrics_port());
    const std::string text = ask(socket, get("/metrics")).body;
    ::close(socket);
    const std::string name = "\ntombolo_sync_messages_received_total ";
    const std::size_t at = text.find(name);
    if (at == std::string::npos) {
        give_up("the metrics do not count sync messages");
    }
    return static_cast<std::uint64_t>(std::strtod(text.c_str() + at + name.size(), nullptr));
}

void SyncSubject::import_cities() const {
    const std::string url = "http://127.0.0.1:" + std::to_string(port());
    run_command(url, {"data", "import", cities_path(), "-d", "app", "-c", "City", "--id", "content",
                      "--point", "loc=lng,lat"});
}

void raise_file_limit(std::size_t files) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= files) {
        return;
    }
    if (limit.rlim_max < files) {
        limit.rlim_max = files; // as root
    }
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        give_up("needs a hard limit of at least " + std::to_string(files) +
                " open files (ulimit -Hn), here and in the server");
    }
}

} // namespace tombolo::bench
