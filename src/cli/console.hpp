#pragma once

// What the command says: results on standard output, everything else on standard error.
//
// With --json every result is one JSON document a line. Text that came from elsewhere is printed
// with its control characters made visible, so that a log line cannot move the cursor.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

namespace tombolo::cli {

/// Control characters but newline and tab as \xNN.
std::string printable(std::string_view text);

struct ConsoleOptions {
    bool json = false;
    bool colors = false;
    bool quiet = false; ///< no notes and no progress
    bool yes = false;   ///< answers questions with yes
    std::FILE* out = stdout;
    std::FILE* err = stderr;
};

class Console {
  public:
    explicit Console(ConsoleOptions options) : options_(options) {}

    bool json() const noexcept { return options_.json; }
    /// Someone sits there and can answer.
    bool interactive() const;

    /// One result: the object with --json, else the text (printed with a final newline; nothing
    /// when empty).
    void result(const boost::json::object& object, std::string_view text);
    /// A result only for people: nothing with --json.
    void text(std::string_view text);
    /// Rows of a table under their headers; with --json one object each. REQUIRES: as many objects
    /// as rows.
    void table(const std::vector<std::string>& headers,
               const std::vector<std::vector<std::string>>& rows,
               const std::vector<boost::json::object>& objects);
    /// Bytes as they are, to standard output.
    void raw(std::string_view bytes);

    /// To standard error.
    void note(std::string_view text);
    void warning(std::string_view text);
    void error(std::string_view message, std::string_view hint);

    /// Asks on the terminal; Failure(usage) naming `flag` when nobody can answer.
    std::string ask(const std::string& question, const std::string& flag, bool secret = false);
    /// True with --yes; Failure(usage) when nobody can answer.
    bool confirm(const std::string& question);
    /// Everything on standard input, without a final newline.
    static std::string read_standard_input();

    void flush();

  private:
    friend class Progress;
    std::string paint(std::string_view text, const char* code) const;

    ConsoleOptions options_;
};

/// A bar on the terminal, redrawn at most ten times a second; silent when standard error is none.
class Progress {
  public:
    /// `total` 0: unknown, so no bar but counts.
    Progress(Console& console, std::string label, std::uint64_t total);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// `done` of `total`, and what to say beside it.
    void show(std::uint64_t done, const std::string& beside);
    /// Removes the bar.
    void finish();

  private:
    Console& console_;
    std::string label_;
    std::uint64_t total_;
    bool visible_;
    bool drawn_ = false;
    std::chrono::steady_clock::time_point started_;
    std::chrono::steady_clock::time_point last_;
};

/// "1.5 MB", "12 kB", "900 B".
std::string size_text(std::uint64_t bytes);
/// Unix seconds as "2024-05-31T12:00:00Z".
std::string seconds_text(std::int64_t unix_seconds);
/// "171,075".
std::string count_text(std::uint64_t count);
/// "1 document", "2 documents".
std::string count_of(std::uint64_t count, const std::string& noun);

} // namespace tombolo::cli
