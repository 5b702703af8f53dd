#include "cli/command_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "server/runtime/json.hpp"

extern char** environ; // NOLINT: of POSIX

namespace tombolo::cli {

namespace {

constexpr auto patience = std::chrono::minutes(2);
constexpr auto poll_pause = std::chrono::milliseconds(2);

void redirect(const std::string& path, int flags, int descriptor) {
    const int file = ::open(path.c_str(), flags, 0600);
    ::dup2(file, descriptor);
    ::close(file);
}

} // namespace

std::vector<boost::json::object> Output::objects() const {
    std::vector<boost::json::object> found;
    std::size_t at = 0;
    while (at < out.size()) {
        const std::size_t end = std::min(out.find('\n', at), out.size());
        found.push_back(server::parse_json_object(out.substr(at, end - at)).value());
        at = end + 1;
    }
    return found;
}

boost::json::object Output::object() const {
    const auto all = objects();
    if (all.size() != 1) {
        throw std::runtime_error("expected one JSON line, not: " + out + err);
    }
    return all.front();
}

void CommandLine::set_environment(const std::string& name, const std::string& value) {
    std::erase_if(environment_, [&](const auto& each) { return each.first == name; });
    environment_.emplace_back(name, value);
}

CommandLine::Running CommandLine::start(const std::vector<std::string>& words,
                                        const std::string& input) const {
    const std::string folder = folder_ + "/run-" + std::to_string(++runs_);
    std::filesystem::create_directories(folder);
    std::ofstream(folder + "/in", std::ios::binary) << input;
    std::vector<std::string> environment = {"XDG_CONFIG_HOME=" + folder_ + "/config",
                                            "HOME=" + folder_};
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string text = *entry;
        if (!text.starts_with("TOMBOLO_") && !text.starts_with("XDG_") &&
            !text.starts_with("HOME=")) {
            environment.push_back(text);
        }
    }
    for (const auto& [name, value] : environment_) {
        environment.push_back(name + "=" + value);
    }
    std::vector<std::string> all = words;
    all.insert(all.begin(), TOMBOLO);
    const auto pointers = [](std::vector<std::string>& texts) {
        std::vector<char*> out;
        for (std::string& text : texts) {
            out.push_back(text.data());
        }
        out.push_back(nullptr);
        return out;
    };
    std::vector<char*> argv = pointers(all);
    std::vector<char*> envp = pointers(environment);
    const pid_t pid = ::fork();
    if (pid == 0) {
        if (::chdir(folder_.c_str()) != 0) {
            ::_exit(126);
        }
        redirect(folder + "/in", O_RDONLY, STDIN_FILENO);
        redirect(folder + "/out", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, STDOUT_FILENO);
        redirect(folder + "/err", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, STDERR_FILENO);
        ::execve(argv[0], argv.data(), envp.data());
        ::_exit(127);
    }
    return {pid, folder};
}

Output CommandLine::run(const std::vector<std::string>& words, const std::string& input) const {
    return start(words, input).wait();
}

void CommandLine::Running::signal(int number) const {
    ::kill(pid_, number);
}

Output CommandLine::Running::peek() const {
    return {-1, read_file(folder_ + "/out"), read_file(folder_ + "/err")};
}

void CommandLine::Running::wait_for(const std::string& text) const {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < until) {
        const Output said = peek();
        if ((said.out + said.err).find(text) != std::string::npos) {
            return;
        }
        std::this_thread::sleep_for(poll_pause);
    }
    throw std::runtime_error("tombolo did not print '" + text + "'");
}

Output CommandLine::Running::wait() {
    const auto until = std::chrono::steady_clock::now() + patience;
    int status = 0;
    while (::waitpid(pid_, &status, WNOHANG) == 0) {
        if (std::chrono::steady_clock::now() > until) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, &status, 0);
            break;
        }
        std::this_thread::sleep_for(poll_pause);
    }
    Output output = peek();
    output.code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    return output;
}

Installation::Installation(const std::vector<std::string>& more_arguments)
    : command_(folder_.path().string()) {
    arguments_ = {"--data", data_folder(),      "--listen", "127.0.0.1:0",           "--admin-user",
                  "admin",  "--admin-password", "password", "--requests-per-minute", "0"};
    arguments_.insert(arguments_.end(), more_arguments.begin(), more_arguments.end());
    start();
    const Output login =
        run({"login", "--url", url_, "--username", "admin", "--password", "password"});
    if (login.code != 0) {
        throw std::runtime_error("cannot log in: " + login.err);
    }
}

void Installation::start() {
    server_ = std::make_unique<server::Tombolod>(
        arguments_, folder_.file("server-output-" + std::to_string(++starts_)));
    if (!server_->wait_ready()) {
        throw std::runtime_error("tombolod does not start: " + server_->output());
    }
    url_ = "http://127.0.0.1:" + std::to_string(server_->port());
}

void Installation::restart() {
    server_.reset();
    // The port stays, so that profiles still name the server.
    const std::string listen = "127.0.0.1:" + url_.substr(url_.rfind(':') + 1);
    for (std::size_t i = 0; i + 1 < arguments_.size(); ++i) {
        if (arguments_[i] == "--listen") {
            arguments_[i + 1] = listen;
        }
    }
    start();
}

std::string write_app(const TemporaryFolder& folder, const std::string& name) {
    const std::string root = name + "/";
    folder.write(root + "root_config.json", "{\n    \"name\": \"" + name + "\"\n}\n");
    folder.write(root + "auth/providers.json", R"({
    "anon-user": {"name": "anon-user", "type": "anon-user", "disabled": false},
    "api-key": {"name": "api-key", "type": "api-key", "disabled": false},
    "local-userpass": {"name": "local-userpass", "type": "local-userpass", "disabled": false,
                       "config": {"autoConfirm": true, "resetPasswordUrl": "http://localhost/r"}}
})");
    folder.write(root + "data_sources/mongodb-atlas/config.json", R"({
    "name": "mongodb-atlas", "type": "mongodb-atlas", "config": {"clusterName": "Cluster0"},
    "version": 1
})");
    folder.write(root + "data_sources/mongodb-atlas/default_rule.json", R"({
    "roles": [{"name": "all", "apply_when": {},
               "document_filters": {"read": true, "write": true},
               "read": true, "write": true, "insert": true, "delete": true}]
})");
    folder.write(root + "data_sources/mongodb-atlas/notes/Note/schema.json", R"({
    "title": "Note", "bsonType": "object", "required": ["_id", "text"],
    "properties": {"_id": {"bsonType": "objectId"}, "text": {"bsonType": "string"}}
})");
    folder.write(root + "data_sources/mongodb-atlas/notes/Note/relationships.json", "{}");
    folder.write(root + "functions/config.json",
                 R"([{"name": "sum", "private": false}, {"name": "fail", "private": false}])");
    folder.write(root + "functions/sum.js",
                 "exports = function (a, b) { console.log('adding'); return a + b; };\n");
    folder.write(root + "functions/fail.js",
                 "exports = function () { throw new Error('as it should'); };\n");
    folder.write(root + "sync/config.json", R"({
    "type": "flexible", "state": "enabled", "service_name": "mongodb-atlas",
    "database_name": "notes", "development_mode_enabled": false,
    "queryable_fields_names": ["text"]
})");
    folder.write(root + "values/limit.json", R"({"name": "limit", "value": 5})");
    return folder.file(name);
}

} // namespace tombolo::cli
