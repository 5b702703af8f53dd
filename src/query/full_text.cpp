#include "query/full_text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace tombolo::query {
namespace {

/// The folded letter of U+00C0..U+00FF: its ASCII base letter, itself (in lower case) as the low
/// byte, or 0 for a separator. Index is code point - 0xC0.
constexpr std::array<unsigned char, 64> latin1 = {
    'a',  'a', 'a', 'a', 'a', 0xE5, 0xE6, 'c', 'e',  'e', 'e', 'e', 'i', 'i', 'i',  'i',
    0xF0, 'n', 'o', 'o', 'o', 'o',  'o',  0,   0xF8, 'u', 'u', 'u', 'u', 'y', 0xFE, 0xDF,
    'a',  'a', 'a', 'a', 'a', 0xE5, 0xE6, 'c', 'e',  'e', 'e', 'e', 'i', 'i', 'i',  'i',
    0xF0, 'n', 'o', 'o', 'o', 'o',  'o',  0,   0xF8, 'u', 'u', 'u', 'u', 'y', 0xFE, 0};

/// The folded character at `position` (0: separator), which moves behind it.
unsigned char fold_letter(std::string_view text, std::size_t& position) noexcept {
    const auto byte = static_cast<unsigned char>(text[position++]);
    if (byte < 0x80) {
        if (byte >= 'A' && byte <= 'Z') {
            return static_cast<unsigned char>(byte | 0x20);
        }
        const bool letter = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
        return letter ? byte : 0;
    }
    if (byte == 0xC3 && position < text.size() &&
        (static_cast<unsigned char>(text[position]) & 0xC0) == 0x80) {
        return latin1[static_cast<unsigned char>(text[position++]) & 0x3F];
    }
    return 0;
}

Error bad_search(ErrorCode code, std::string_view text, std::string_view problem) {
    return Error(code, fmt::format("full text search '{}': {}", text, problem));
}

bool has(const std::vector<std::string>& words, std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

} // namespace

bool TokenCursor::next() noexcept {
    length_ = 0;
    while (position_ < text_.size()) {
        const unsigned char letter = fold_letter(text_, position_);
        if (letter == 0) {
            if (length_ > 0) {
                return true;
            }
            continue;
        }
        const std::size_t bytes = letter < 0x80 ? 1 : 2;
        if (length_ + bytes > token_bytes_max) {
            // The rest of the word is dropped, not made a token of its own.
            while (position_ < text_.size() && fold_letter(text_, position_) != 0) {
            }
            return true;
        }
        if (bytes == 2) {
            buffer_[length_++] = static_cast<char>(0xC3);
            buffer_[length_++] = static_cast<char>(letter - 0x40);
        } else {
            buffer_[length_++] = static_cast<char>(letter);
        }
    }
    return length_ > 0;
}

Result<TextSearch> TextSearch::parse(std::string_view text) {
    TextSearch search;
    std::size_t position = 0;
    while (position < text.size()) {
        const std::size_t begin = text.find_first_not_of(" \t\r\n", position);
        if (begin == std::string_view::npos) {
            break;
        }
        const std::size_t end = std::min(text.find_first_of(" \t\r\n", begin), text.size());
        position = end;
        std::string_view word = text.substr(begin, end - begin);
        const bool exclude = word.front() == '-';
        word.remove_prefix(exclude ? 1 : 0);
        const bool prefix = !word.empty() && word.back() == '*';
        word.remove_suffix(prefix ? 1 : 0);
        if (exclude && prefix) {
            return bad_search(
                ErrorCode::unsupported, text,
                fmt::format("'-{}*' excludes by prefix, which is not supported", word));
        }
        TokenCursor tokens(word);
        const bool one = tokens.next();
        const std::string token(tokens.token());
        for (std::size_t i = 0; i < word.size();) {
            if (fold_letter(word, i) == 0) {
                return bad_search(
                    ErrorCode::invalid_argument, text,
                    fmt::format("'{}' has a character that is neither letter nor digit", word));
            }
        }
        if (!one) {
            return bad_search(ErrorCode::invalid_argument, text, "a word is missing");
        }
        std::vector<std::string>& list = exclude  ? search.excluded_
                                         : prefix ? search.prefixes_
                                                  : search.words_;
        if (!has(list, token)) {
            list.push_back(token);
        }
    }
    if (search.words_.empty() && search.prefixes_.empty() && search.excluded_.empty()) {
        return bad_search(ErrorCode::invalid_argument, text, "there is no word to search for");
    }
    for (const std::string& word : search.excluded_) {
        if (has(search.words_, word)) {
            return bad_search(ErrorCode::invalid_argument, text,
                              fmt::format("'{}' is both required and excluded", word));
        }
    }
    return search;
}

bool TextSearch::matches(std::string_view subject) const noexcept {
    const auto occurs = [subject](std::string_view word, bool prefix) {
        TokenCursor tokens(subject);
        while (tokens.next()) {
            const std::string_view token = tokens.token();
            if (prefix ? token.substr(0, word.size()) == word : token == word) {
                return true;
            }
        }
        return false;
    };
    for (const std::string& word : words_) {
        if (!occurs(word, false)) {
            return false;
        }
    }
    for (const std::string& prefix : prefixes_) {
        if (!occurs(prefix, true)) {
            return false;
        }
    }
    for (const std::string& word : excluded_) {
        if (occurs(word, false)) {
            return false;
        }
    }
    return true;
}

} // namespace tombolo::query
