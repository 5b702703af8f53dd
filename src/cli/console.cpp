#include "cli/console.hpp"

#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <iterator>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "cli/failure.hpp"
#include "core/timestamp.hpp"

namespace tombolo::cli {

namespace {

constexpr auto redraw_pause = std::chrono::milliseconds(100);
constexpr std::size_t bar_width = 30;

// Columns that a UTF-8 text takes, counting each code point as one.
std::size_t columns(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
    }));
}

void put(std::FILE* file, std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), file);
}

void put_line(std::FILE* file, std::string_view text) {
    put(file, text);
    if (!text.ends_with('\n')) {
        put(file, "\n");
    }
}

// Reads a line without showing it.
class HiddenInput {
  public:
    HiddenInput() {
        active_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
        if (active_) {
            termios hidden = before_;
            hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
            ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
        }
    }
    ~HiddenInput() {
        if (active_) {
            ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
            put(stderr, "\n");
        }
    }
    HiddenInput(const HiddenInput&) = delete;
    HiddenInput& operator=(const HiddenInput&) = delete;

  private:
    termios before_{};
    bool active_ = false;
};

} // namespace

std::string printable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f) {
            out += fmt::format("\\x{:02x}", byte);
        } else {
            out += c;
        }
    }
    return out;
}

bool Console::interactive() const {
    return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
}

std::string Console::paint(std::string_view text, const char* code) const {
    return options_.colors ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
}

void Console::result(const boost::json::object& object, std::string_view text) {
    if (options_.json) {
        put_line(options_.out, boost::json::serialize(object));
    } else if (!text.empty()) {
        put_line(options_.out, printable(text));
    }
}

void Console::text(std::string_view text) {
    if (!options_.json) {
        put_line(options_.out, printable(text));
    }
}

void Console::raw(std::string_view bytes) {
    put(options_.out, bytes);
}

void Console::table(const std::vector<std::string>& headers,
                    const std::vector<std::vector<std::string>>& rows,
                    const std::vector<boost::json::object>& objects) {
    if (options_.json) {
        for (const boost::json::object& object : objects) {
            put_line(options_.out, boost::json::serialize(object));
        }
        return;
    }
    std::vector<std::size_t> widths;
    widths.reserve(headers.size());
    for (const std::string& header : headers) {
        widths.push_back(columns(header));
    }
    std::vector<std::vector<std::string>> shown;
    for (const auto& row : rows) {
        std::vector<std::string>& cells = shown.emplace_back();
        for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) {
            std::string cell = printable(row[i]);
            std::replace(cell.begin(), cell.end(), '\n', ' ');
            widths[i] = std::max(widths[i], columns(cell));
            cells.push_back(std::move(cell));
        }
    }
    const auto line = [&](const std::vector<std::string>& cells, bool head) {
        std::string out;
        for (std::size_t i = 0; i < cells.size(); ++i) {
            std::string cell = cells[i];
            if (i + 1 < cells.size()) {
                cell.append(widths[i] - columns(cells[i]) + 2, ' ');
            }
            out += head ? paint(cell, "1") : cell;
        }
        put_line(options_.out, out);
    };
    line(headers, true);
    for (const auto& cells : shown) {
        line(cells, false);
    }
}

void Console::note(std::string_view text) {
    if (!options_.quiet) {
        put_line(options_.err, printable(text));
    }
}

void Console::warning(std::string_view text) {
    put_line(options_.err, paint("warning: ", "33") + printable(text));
}

void Console::error(std::string_view message, std::string_view hint) {
    put_line(options_.err, paint("error: ", "31") + printable(message));
    if (!hint.empty()) {
        put_line(options_.err, printable(hint));
    }
}

std::string Console::ask(const std::string& question, const std::string& flag, bool secret) {
    if (!interactive()) {
        throw Failure(ExitCode::usage, "nobody is there to answer '" + question + "'",
                      "Give it as " + flag + ".");
    }
    put(options_.err, question + ": ");
    std::fflush(options_.err);
    std::string answer;
    if (secret) {
        const HiddenInput hidden;
        std::getline(std::cin, answer);
    } else {
        std::getline(std::cin, answer);
    }
    return answer;
}

bool Console::confirm(const std::string& question) {
    if (options_.yes) {
        return true;
    }
    const std::string answer = ask(question + " [y/N]", "--yes");
    return answer == "y" || answer == "Y" || answer == "yes";
}

std::string Console::read_standard_input() {
    std::string text((std::istreambuf_iterator<char>(std::cin)), {});
    if (text.ends_with('\n')) {
        text.pop_back();
        if (text.ends_with('\r')) {
            text.pop_back();
        }
    }
    return text;
}

void Console::flush() {
    std::fflush(options_.out);
    std::fflush(options_.err);
}

Progress::Progress(Console& console, std::string label, std::uint64_t total)
    : console_(console), label_(std::move(label)), total_(total),
      visible_(!console.options_.quiet && ::isatty(::fileno(console.options_.err)) == 1),
      started_(std::chrono::steady_clock::now()), last_(started_ - redraw_pause) {}

Progress::~Progress() {
    finish();
}

void Progress::show(std::uint64_t done, const std::string& beside) {
    const auto now = std::chrono::steady_clock::now();
    if (!visible_ || now - last_ < redraw_pause) {
        return;
    }
    last_ = now;
    std::string line = "\r\x1b[K" + label_ + " ";
    if (total_ > 0) {
        const double part = std::min(1.0, static_cast<double>(done) / static_cast<double>(total_));
        const auto filled = static_cast<std::size_t>(part * static_cast<double>(bar_width));
        line += "[" + std::string(filled, '#') + std::string(bar_width - filled, '.') + "] ";
        line += fmt::format("{:3.0f}% ", part * 100);
        const double seconds = std::chrono::duration<double>(now - started_).count();
        if (part > 0.02 && seconds > 1) {
            line += fmt::format("{:.0f} s left ", seconds / part - seconds);
        }
    }
    put(console_.options_.err, line + beside);
    std::fflush(console_.options_.err);
    drawn_ = true;
}

void Progress::finish() {
    if (drawn_) {
        put(console_.options_.err, "\r\x1b[K");
        std::fflush(console_.options_.err);
        drawn_ = false;
    }
}

std::string size_text(std::uint64_t bytes) {
    if (bytes < 1000) {
        return fmt::format("{} B", bytes);
    }
    double value = static_cast<double>(bytes) / 1000;
    const char* unit = "kB";
    for (const char* larger : {"MB", "GB", "TB"}) {
        if (value < 1000) {
            break;
        }
        value /= 1000;
        unit = larger;
    }
    return fmt::format("{:.1f} {}", value, unit);
}

std::string seconds_text(std::int64_t unix_seconds) {
    return Timestamp::from_unix_ms(unix_seconds * 1000).to_string();
}

std::string count_text(std::uint64_t count) {
    std::string digits = std::to_string(count);
    for (std::size_t at = digits.size(); at > 3; at -= 3) {
        digits.insert(at - 3, ",");
    }
    return digits;
}

std::string count_of(std::uint64_t count, const std::string& noun) {
    return count_text(count) + " " + noun + (count == 1 ? "" : "s");
}

} // namespace tombolo::cli
