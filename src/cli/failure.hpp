#pragma once

// How a command ends: exit codes, and the exception that carries a failure to main().
//
// The codes are part of the interface (docs/reference/cli.md); scripts rely on them.

#include <exception>
#include <string>

#include "core/error.hpp"

namespace tombolo::cli {

enum class ExitCode : int {
    done = 0,      ///< done, or nothing to do
    failure = 1,   ///< it was tried and did not work
    usage = 2,     ///< the command line or an input file is wrong
    refused = 3,   ///< not logged in, wrong password, or no permission
    not_found = 4, ///< the named thing does not exist
    changes = 5,   ///< `apps diff --exit-code`: there are differences
};

/// Thrown by commands, caught in run(). The message says what was tried and what is wrong; the hint
/// says what to do.
class Failure : public std::exception {
  public:
    Failure(ExitCode code, std::string message, std::string hint = {})
        : code_(code), message_(std::move(message)), hint_(std::move(hint)) {}
    /// A failed Result.
    explicit Failure(const Error& error)
        : Failure(error.code() == ErrorCode::not_found ? ExitCode::not_found : ExitCode::failure,
                  error.what()) {}

    ExitCode code() const noexcept { return code_; }
    const std::string& message() const noexcept { return message_; }
    const std::string& hint() const noexcept { return hint_; }
    const char* what() const noexcept override { return message_.c_str(); }

  private:
    ExitCode code_;
    std::string message_;
    std::string hint_;
};

} // namespace tombolo::cli
