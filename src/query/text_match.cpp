#include "query/text_match.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

#include <utf8proc.h>

namespace tombolo::query {
namespace {

constexpr std::uint32_t folded_end =
    592; ///< end of Latin Extended-B's first part: what clients fold

const std::array<std::uint16_t, folded_end>& fold_table() noexcept {
    static const auto table = [] {
        std::array<std::uint16_t, folded_end> out{};
        for (std::uint32_t c = 0; c < folded_end; ++c) {
            const utf8proc_int32_t lower = utf8proc_tolower(static_cast<utf8proc_int32_t>(c));
            const bool inside = lower >= 0 && static_cast<std::uint32_t>(lower) < folded_end;
            out[c] = static_cast<std::uint16_t>(inside ? static_cast<std::uint32_t>(lower) : c);
        }
        return out;
    }();
    return table;
}

/// The code point at `position`, which moves behind it. An ill-formed byte is a code point of its
/// own above Unicode.
std::uint32_t next_code_point(std::string_view text, std::size_t& position) noexcept {
    const auto byte = [&](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    const std::uint32_t lead = byte(position);
    if (lead < 0x80) {
        ++position;
        return lead;
    }
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0;
    std::uint32_t code_point = length == 4 ? lead & 0x07 : length == 3 ? lead & 0x0F : lead & 0x1F;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(position + i) & 0xC0) != 0x80) {
            ++position;
            return 0x200000 + lead;
        }
        code_point = code_point << 6 | (byte(position + i) & 0x3F);
    }
    if (length == 0) {
        ++position;
        return 0x200000 + lead;
    }
    position += length;
    return code_point;
}

std::uint32_t fold(std::uint32_t code_point) noexcept {
    return code_point < folded_end ? fold_table()[code_point] : code_point;
}

/// Where the needle ends in `text` when it stands at `position`, else npos.
std::size_t match_at(std::string_view text, std::size_t position,
                     std::string_view needle) noexcept {
    std::size_t n = 0;
    while (n < needle.size()) {
        if (position >= text.size() ||
            fold(next_code_point(text, position)) != fold(next_code_point(needle, n))) {
            return std::string_view::npos;
        }
    }
    return position;
}

std::size_t previous_start(std::string_view text, std::size_t position) noexcept {
    --position;
    while (position > 0 && (static_cast<unsigned char>(text[position]) & 0xC0) == 0x80) {
        --position;
    }
    return position;
}

/// One step of LIKE: advances both positions when the pattern's next element matches the text's
/// next one.
struct LikeCursor {
    std::string_view text;
    std::string_view pattern;
    bool ignore_case;
    bool bytes;

    void skip(std::size_t& position) const noexcept {
        if (bytes) {
            ++position;
        } else {
            next_code_point(text, position);
        }
    }

    bool step(std::size_t& t, std::size_t& p) const noexcept {
        if (pattern[p] == '?') {
            ++p;
            skip(t);
            return true;
        }
        if (!ignore_case) {
            return pattern[p++] == text[t++];
        }
        return fold(next_code_point(text, t)) == fold(next_code_point(pattern, p));
    }
};

} // namespace

bool equals_ignoring_case(std::string_view left, std::string_view right) noexcept {
    return match_at(left, 0, right) == left.size();
}

bool begins_with(std::string_view text, std::string_view needle, bool ignore_case) noexcept {
    return ignore_case ? match_at(text, 0, needle) != std::string_view::npos
                       : text.substr(0, needle.size()) == needle;
}

bool ends_with(std::string_view text, std::string_view needle, bool ignore_case) noexcept {
    if (!ignore_case) {
        return text.size() >= needle.size() && text.substr(text.size() - needle.size()) == needle;
    }
    std::size_t t = text.size();
    std::size_t n = needle.size();
    while (n > 0) {
        if (t == 0) {
            return false;
        }
        t = previous_start(text, t);
        n = previous_start(needle, n);
        std::size_t text_position = t;
        std::size_t needle_position = n;
        if (fold(next_code_point(text, text_position)) !=
            fold(next_code_point(needle, needle_position))) {
            return false;
        }
    }
    return true;
}

bool contains(std::string_view text, std::string_view needle, bool ignore_case) noexcept {
    if (!ignore_case) {
        return text.find(needle) != std::string_view::npos;
    }
    for (std::size_t position = 0;;) {
        if (match_at(text, position, needle) != std::string_view::npos) {
            return true;
        }
        if (position >= text.size()) {
            return false;
        }
        next_code_point(text, position);
    }
}

bool like(std::string_view text, std::string_view pattern, bool ignore_case, bool bytes) noexcept {
    const LikeCursor cursor{text, pattern, ignore_case, bytes};
    std::size_t t = 0;
    std::size_t p = 0;
    std::size_t star = std::string_view::npos; ///< behind the last "*" met
    std::size_t retry = 0;                     ///< where its run ends in the text
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = ++p;
            retry = t;
            continue;
        }
        if (p < pattern.size() && cursor.step(t, p)) {
            continue;
        }
        if (star == std::string_view::npos) {
            return false;
        }
        cursor.skip(retry);
        t = retry;
        p = star;
    }
    while (p < pattern.size() && pattern[p] == '*') {
        ++p;
    }
    return p == pattern.size();
}

std::string folded(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t position = 0; position < text.size();) {
        const std::size_t begin = position;
        const std::uint32_t code_point = next_code_point(text, position);
        const std::uint32_t lower = fold(code_point);
        if (lower == code_point) {
            out += text.substr(begin, position - begin);
        } else if (lower < 0x80) {
            out += static_cast<char>(lower);
        } else {
            out += static_cast<char>(0xC0 | (lower >> 6));
            out += static_cast<char>(0x80 | (lower & 0x3F));
        }
    }
    return out;
}

} // namespace tombolo::query
