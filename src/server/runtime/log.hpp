#pragma once

// Structured log lines: a message that stays the same and fields that differ.
//
//   log.info("user signed in", {{"app", app_id}, {"user", user_id}, {"request", request.id}});
//
// Text:  2026-11-22T01:02:03.456Z info  user signed in app=... user=... request=...
// JSON:  {"time":"...","level":"info","message":"user signed in","app":"...",...}
//
// Values are escaped; never put a token, password or secret into one. Thread-safety: all members
// from any thread.

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace tombolo::server {

enum class LogLevel : std::uint8_t { debug, info, warning, error, off };
enum class LogFormat : std::uint8_t { text, json };

Result<LogLevel> parse_log_level(std::string_view text);
Result<LogFormat> parse_log_format(std::string_view text);

struct LogField {
    std::string_view name;
    std::string value;
};

struct LogOptions {
    LogLevel level = LogLevel::info;
    LogFormat format = LogFormat::text;
    /// Appended to; empty: standard error.
    std::string file;
};

class Log {
  public:
    /// io when the file cannot be opened.
    static Result<std::unique_ptr<Log>> open(const LogOptions& options);
    /// Writes nothing: for tests.
    static std::unique_ptr<Log> none();
    ~Log();

    using Fields = std::initializer_list<LogField>;
    void debug(std::string_view message, Fields fields = {}) const;
    void info(std::string_view message, Fields fields = {}) const;
    void warning(std::string_view message, Fields fields = {}) const;
    void error(std::string_view message, Fields fields = {}) const;
    bool enabled(LogLevel level) const noexcept;
    void set_level(LogLevel level) noexcept;
    void flush() const;
    /// Goes on in a new file of the same name, after the old one was moved away by a log rotation.
    /// io when it cannot be opened; the old one stays in use then.
    Result<void> reopen();

    class Impl;

  private:
    explicit Log(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace tombolo::server
