#pragma once

// The one error type: returned inside Result<T> by everything that meets outside input, thrown by
// the public API.
//
// An Error has a code (error_codes.def, docs/reference/errors.md), a message for the person who
// reads it, and an optional context: where in the input, which class and property, which file.
// Copying is cheap and noexcept.

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>

namespace tombolo {

enum class ErrorCode : std::uint16_t {
#define TOMBOLO_ERROR(name, number, meaning) name = number, /* NOLINT */
#include "core/error_codes.def"
#undef TOMBOLO_ERROR
};

/// The code's name as it stands in the table, e.g. "bad_changeset".
std::string_view error_code_name(ErrorCode code) noexcept;

/// The table's one-line meaning of the code.
std::string_view error_code_meaning(ErrorCode code) noexcept;

/// The table as a page of Markdown: docs/reference/errors.md.
std::string error_codes_markdown();

class Error : public std::exception {
  public:
    Error(ErrorCode code, std::string message, std::string context = {});

    ErrorCode code() const noexcept { return detail_->code; }
    const std::string& message() const noexcept { return detail_->message; }
    /// Where the error lies, e.g. "offset 17" or "Person.age"; empty when the message says it all.
    const std::string& context() const noexcept { return detail_->context; }

    /// "<message> (<context>)": the message alone when there is no context.
    const char* what() const noexcept override { return detail_->what.c_str(); }

    /// The same error with `outer` in front of the context, separated by ": ".
    Error within(std::string_view outer) const;

  private:
    struct Detail {
        ErrorCode code;
        std::string message;
        std::string context;
        std::string what;
    };
    std::shared_ptr<const Detail> detail_;
};

} // namespace tombolo
