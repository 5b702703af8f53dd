#pragma once

// The real tombolo command against a real tombolod, each a process of its own.

#include <sys/types.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/value.hpp>

#include "server/daemon/tombolod_process.hpp"
#include "support/temporary_folder.hpp"

namespace tombolo::cli {

struct Output {
    int code = -1; ///< minus the signal that ended it
    std::string out;
    std::string err;

    /// Standard output's lines as JSON.
    std::vector<boost::json::object> objects() const;
    /// The only one of them. REQUIRES: there is one.
    boost::json::object object() const;
};

/// Runs tombolo with profiles in a folder of its own; nothing of the caller's environment that
/// begins with TOMBOLO_ reaches it.
class CommandLine {
  public:
    explicit CommandLine(std::string folder) : folder_(std::move(folder)) {}

    /// For every later run.
    void set_environment(const std::string& name, const std::string& value);

    Output run(const std::vector<std::string>& words, const std::string& input = {}) const;

    /// A run that is not waited for.
    class Running {
      public:
        Running(pid_t pid, std::string folder) : pid_(pid), folder_(std::move(folder)) {}
        void signal(int number) const;
        /// What it has printed so far.
        Output peek() const;
        /// Until it has printed that to standard output or error.
        void wait_for(const std::string& text) const;
        Output wait();

      private:
        pid_t pid_;
        std::string folder_;
    };
    Running start(const std::vector<std::string>& words, const std::string& input = {}) const;

  private:
    std::string folder_;
    std::vector<std::pair<std::string, std::string>> environment_;
    mutable int runs_ = 0;
};

/// A server with an administrator ("admin", "password") and a command line that is logged in.
class Installation {
  public:
    explicit Installation(const std::vector<std::string>& more_arguments = {});

    server::Tombolod& server() { return *server_; }
    std::string url() const { return url_; }
    const TemporaryFolder& folder() const { return folder_; }
    std::string data_folder() const { return folder_.file("data"); }
    CommandLine& command() { return command_; }
    Output run(const std::vector<std::string>& words, const std::string& input = {}) const {
        return command_.run(words, input);
    }
    /// Starts the same server again after it has ended.
    void restart();

  private:
    void start();

    TemporaryFolder folder_;
    std::vector<std::string> arguments_;
    std::unique_ptr<server::Tombolod> server_;
    std::string url_;
    int starts_ = 0;
    CommandLine command_;
};

/// A small app directory with a data source, flexible sync, a function, a value and providers.
std::string write_app(const TemporaryFolder& folder, const std::string& name);

} // namespace tombolo::cli
