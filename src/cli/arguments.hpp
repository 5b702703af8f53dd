#pragma once

// A parsed command line, and the parser made from the command table.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.hpp"

namespace tombolo::cli {

/// Values by long flag name or argument name; global flags stand among them.
class Arguments {
  public:
    void add(const std::string& name, std::string value) {
        values_[name].push_back(std::move(value));
    }

    bool has(const std::string& name) const { return values_.contains(name); }
    /// The last value given; empty when absent.
    std::string value(const std::string& name, const std::string& fallback = {}) const;
    /// All values given, in order.
    std::vector<std::string> values(const std::string& name) const;
    /// The value as a whole number between the bounds; Failure(usage) otherwise.
    std::optional<std::int64_t> number(const std::string& name, std::int64_t least,
                                       std::int64_t most) const;

  private:
    std::map<std::string, std::vector<std::string>> values_;
};

struct Parsed {
    const Command* command = nullptr; ///< null: print `text` and end with `code`
    Arguments arguments;
    std::string text;
    ExitCode code = ExitCode::done;
};

/// Never throws. A wrong line gives a text that names what is wrong and the command's usage.
Parsed parse(const CommandTable& table, const std::vector<std::string>& words);

} // namespace tombolo::cli
