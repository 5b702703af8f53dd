#pragma once

// Full text: the tokenizer of full-text indexes (database-and-sdk.md 1.10) and the search text of
// TEXT (3.5).
//
// Tokens are runs of ASCII letters and digits and Latin-1 letters, in lower case, without
// diacritics except that a-ring, ae, eth, o-stroke, thorn and sharp s stay letters of their own;
// everything else, also y-diaeresis, separates. Tokens are cut at 64 bytes.

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace tombolo::query {

/// Walks the tokens of a text without allocating. Copyable; borrows the text.
class TokenCursor {
  public:
    static constexpr std::size_t token_bytes_max = 64;

    explicit TokenCursor(std::string_view text) noexcept : text_(text) {}

    /// False at the end of the text.
    bool next() noexcept;

    /// The current token; valid until the next call.
    std::string_view token() const noexcept { return {buffer_.data(), length_}; }

  private:
    std::string_view text_;
    std::size_t position_ = 0;
    std::array<char, token_bytes_max> buffer_{};
    std::size_t length_ = 0;
};

/// Words that must all occur, words that must not, prefixes that some word must have.
class TextSearch {
  public:
    /// invalid_argument for a text without words, a word both required and excluded, or punctuation
    /// inside a word; unsupported for an excluded prefix.
    static Result<TextSearch> parse(std::string_view text);

    bool matches(std::string_view subject) const noexcept;

    const std::vector<std::string>& words() const noexcept { return words_; }
    const std::vector<std::string>& prefixes() const noexcept { return prefixes_; }
    const std::vector<std::string>& excluded() const noexcept { return excluded_; }

  private:
    std::vector<std::string> words_;
    std::vector<std::string> prefixes_;
    std::vector<std::string> excluded_;
};

} // namespace tombolo::query
