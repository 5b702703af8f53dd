#include "server/runtime/log.hpp"

#include <atomic>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/dist_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "core/bytes.hpp"

namespace tombolo::server {

namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) noexcept {
    switch (level) {
    case LogLevel::debug:
        return spdlog::level::debug;
    case LogLevel::info:
        return spdlog::level::info;
    case LogLevel::warning:
        return spdlog::level::warn;
    case LogLevel::error:
        return spdlog::level::err;
    case LogLevel::off:
        break;
    }
    return spdlog::level::off;
}

// Escapes as JSON strings are; control characters cannot forge a second line, and bytes that are no
// UTF-8 cannot spoil the file for its readers.
void append_escaped(std::string& out, std::string_view text) {
    static constexpr char digits[] = "0123456789abcdef";
    const bool text_is_utf8 = is_utf8(text);
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !text_is_utf8)) {
            out += "\\u00";
            out += digits[byte >> 4];
            out += digits[byte & 15];
        } else {
            out += c;
        }
    }
}

bool needs_quotes(std::string_view text) noexcept {
    return text.empty() || text.find_first_of(" \"\\=\n\t") != std::string_view::npos;
}

std::string compose(LogFormat format, std::string_view message, Log::Fields fields) {
    std::string line;
    if (format == LogFormat::json) {
        line += "\"message\":\"";
        append_escaped(line, message);
        line += '"';
        for (const LogField& field : fields) {
            line += ",\"";
            append_escaped(line, field.name);
            line += "\":\"";
            append_escaped(line, field.value);
            line += '"';
        }
        return line;
    }
    append_escaped(line, message);
    for (const LogField& field : fields) {
        line += ' ';
        line += field.name;
        line += '=';
        const bool quotes = needs_quotes(field.value);
        line += quotes ? "\"" : "";
        append_escaped(line, field.value);
        line += quotes ? "\"" : "";
    }
    return line;
}

} // namespace

class Log::Impl {
  public:
    Impl(std::string file, LogFormat format)
        : file_(std::move(file)), format_(format),
          sinks_(std::make_shared<spdlog::sinks::dist_sink_mt>()), logger_("tombolo", sinks_) {
        sinks_->set_sinks({make_sink()});
        logger_.flush_on(spdlog::level::warn);
    }

    void write(LogLevel level, std::string_view message, Log::Fields fields) {
        if (logger_.should_log(to_spdlog(level))) {
            logger_.log(to_spdlog(level), spdlog::string_view_t(compose(format_, message, fields)));
        }
    }

    /// Throws spdlog_ex when the file cannot be opened; the one in use stays then.
    void reopen() {
        if (!file_.empty()) {
            sinks_->set_sinks({make_sink()});
        }
    }

    const std::string& file() const noexcept { return file_; }
    spdlog::logger& logger() noexcept { return logger_; }

  private:
    spdlog::sink_ptr make_sink() const {
        spdlog::sink_ptr sink;
        if (file_.empty()) {
            sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
        } else {
            sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file_);
        }
        sink->set_formatter(std::make_unique<spdlog::pattern_formatter>(
            format_ == LogFormat::json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                                       : "%Y-%m-%dT%H:%M:%S.%eZ %-7l %v",
            spdlog::pattern_time_type::utc));
        return sink;
    }

    std::string file_;
    LogFormat format_;
    std::shared_ptr<spdlog::sinks::dist_sink_mt> sinks_;
    spdlog::logger logger_;
};

Result<LogLevel> parse_log_level(std::string_view text) {
    if (text == "debug") {
        return LogLevel::debug;
    }
    if (text == "info") {
        return LogLevel::info;
    }
    if (text == "warning") {
        return LogLevel::warning;
    }
    if (text == "error") {
        return LogLevel::error;
    }
    if (text == "off") {
        return LogLevel::off;
    }
    return Error(ErrorCode::invalid_argument,
                 "'" + std::string(text) +
                     "' is not a log level; there are debug, info, warning, error and off");
}

Result<LogFormat> parse_log_format(std::string_view text) {
    if (text == "text") {
        return LogFormat::text;
    }
    if (text == "json") {
        return LogFormat::json;
    }
    return Error(ErrorCode::invalid_argument,
                 "'" + std::string(text) + "' is not a log format; there are text and json");
}

namespace {

Error cannot_open(const spdlog::spdlog_ex& error, const std::string& file) {
    return Error(ErrorCode::io, std::string("cannot open the log file: ") + error.what(), file);
}

} // namespace

Result<std::unique_ptr<Log>> Log::open(const LogOptions& options) {
    try {
        std::unique_ptr<Log> log(new Log(std::make_unique<Impl>(options.file, options.format)));
        log->set_level(options.level);
        return log;
    } catch (const spdlog::spdlog_ex& error) {
        return cannot_open(error, options.file);
    }
}

Result<void> Log::reopen() {
    try {
        impl_->reopen();
        return {};
    } catch (const spdlog::spdlog_ex& error) {
        return cannot_open(error, impl_->file());
    }
}

std::unique_ptr<Log> Log::none() {
    auto log = open({}).value();
    log->set_level(LogLevel::off);
    return log;
}

Log::Log(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Log::~Log() {
    flush();
}

void Log::debug(std::string_view message, Fields fields) const {
    impl_->write(LogLevel::debug, message, fields);
}
void Log::info(std::string_view message, Fields fields) const {
    impl_->write(LogLevel::info, message, fields);
}
void Log::warning(std::string_view message, Fields fields) const {
    impl_->write(LogLevel::warning, message, fields);
}
void Log::error(std::string_view message, Fields fields) const {
    impl_->write(LogLevel::error, message, fields);
}

bool Log::enabled(LogLevel level) const noexcept {
    return impl_->logger().should_log(to_spdlog(level));
}
void Log::set_level(LogLevel level) noexcept {
    impl_->logger().set_level(to_spdlog(level));
}
void Log::flush() const {
    impl_->logger().flush();
}

} // namespace tombolo::server
