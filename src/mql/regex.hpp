#pragma once

// A compiled regular expression as MongoDB has them: Perl syntax over UTF-8 (PCRE2), options i, m,
// s, x, u.
//
// Bounds: the pattern is at most 32,764 bytes; a match that takes too many steps, too much depth or
// memory is an Error (mql_failed), never a hang. Uses the JIT where PCRE2 has one and falls back to
// the interpreter. Thread-safety: a Regex is immutable and may be shared. matches() keeps its
// scratch memory per thread, so that it does not allocate per call.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace tombolo::mql {

/// Half-open range of bytes in the subject; an unset group has `set` false.
struct RegexRange {
    std::size_t begin = 0;
    std::size_t end = 0;
    bool set = false;
};

class Regex {
  public:
    /// mql_invalid with PCRE2's message and the offset in the pattern, or for an unknown option.
    static Result<Regex> compile(std::string_view pattern, std::string_view options);

    /// Whether the pattern is found anywhere in the text.
    Result<bool> matches(std::string_view text) const;

    /// The first match at or after `from`: the whole match and then each group. Empty when there is
    /// none.
    Result<std::vector<RegexRange>> find(std::string_view text, std::size_t from) const;

    /// Number of capture groups in the pattern.
    std::uint32_t group_count() const noexcept;

  private:
    struct Code;
    explicit Regex(std::shared_ptr<const Code> code) noexcept : code_(std::move(code)) {}

    std::shared_ptr<const Code> code_; // shared: copies of a filter use one compiled pattern
};

} // namespace tombolo::mql
