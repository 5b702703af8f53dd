#define PCRE2_CODE_UNIT_WIDTH 8

#include "mql/regex.hpp"

#include <array>
#include <string>

#include <pcre2.h>

namespace tombolo::mql {

namespace {

constexpr std::size_t pattern_bytes_max = 32'764; // MongoDB's own bound
constexpr std::uint32_t match_steps_max = 1'000'000;
constexpr std::uint32_t match_depth_max = 100'000;
constexpr std::uint32_t match_heap_kib_max = 20'000;

struct MatchDataFree {
    void operator()(pcre2_match_data* data) const noexcept { pcre2_match_data_free(data); }
};
struct MatchContextFree {
    void operator()(pcre2_match_context* context) const noexcept {
        pcre2_match_context_free(context);
    }
};
using MatchData = std::unique_ptr<pcre2_match_data, MatchDataFree>;
using MatchContext = std::unique_ptr<pcre2_match_context, MatchContextFree>;

// One scratch a thread: matching many documents must not allocate.
struct Scratch {
    MatchData data{pcre2_match_data_create(1, nullptr)};
    MatchContext context{pcre2_match_context_create(nullptr)};

    Scratch() {
        pcre2_set_match_limit(context.get(), match_steps_max);
        pcre2_set_depth_limit(context.get(), match_depth_max);
        pcre2_set_heap_limit(context.get(), match_heap_kib_max);
    }
};

Scratch& scratch() {
    thread_local Scratch instance;
    return instance;
}

std::string message_of(int code) {
    std::array<PCRE2_UCHAR, 256> text{};
    pcre2_get_error_message(code, text.data(), text.size());
    return reinterpret_cast<const char*>(text.data());
}

Result<std::uint32_t> parse_options(std::string_view options) {
    std::uint32_t flags = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF;
    for (const char option : options) {
        switch (option) {
        case 'i':
            flags |= PCRE2_CASELESS;
            break;
        case 'm':
            flags |= PCRE2_MULTILINE;
            break;
        case 's':
            flags |= PCRE2_DOTALL;
            break;
        case 'x':
            flags |= PCRE2_EXTENDED;
            break;
        case 'u':
            break; // always on
        default:
            return Error(ErrorCode::mql_invalid, std::string("invalid flag in regex options: ") +
                                                     option + " (allowed: i, m, s, u, x)");
        }
    }
    return flags;
}

// The number of ranges found, 0 for no match.
Result<int> run(const pcre2_code* code, std::string_view text, std::size_t from,
                pcre2_match_data* data) {
    const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data() == nullptr ? "" : text.data());
    pcre2_match_context* context = scratch().context.get();
    int found = pcre2_match(code, subject, text.size(), from, 0, data, context);
    if (found == PCRE2_ERROR_JIT_STACKLIMIT) {
        found = pcre2_match(code, subject, text.size(), from, PCRE2_NO_JIT, data, context);
    }
    if (found == PCRE2_ERROR_NOMATCH) {
        return 0;
    }
    if (found < 0) {
        return Error(ErrorCode::mql_failed,
                     "a regular expression could not be matched: " + message_of(found));
    }
    return found == 0 ? 1 : found; // 0: more groups than the scratch holds
}

} // namespace

struct Regex::Code {
    explicit Code(pcre2_code* compiled) noexcept : code(compiled) {}
    ~Code() { pcre2_code_free(code); }
    Code(const Code&) = delete;
    Code& operator=(const Code&) = delete;

    pcre2_code* code;
};

Result<Regex> Regex::compile(std::string_view pattern, std::string_view options) {
    if (pattern.size() > pattern_bytes_max) {
        return Error(ErrorCode::mql_invalid, "a regular expression is longer than " +
                                                 std::to_string(pattern_bytes_max) + " bytes");
    }
    if (pattern.find('\0') != std::string_view::npos) {
        return Error(ErrorCode::mql_invalid,
                     "a regular expression cannot contain an embedded null byte");
    }
    TOMBOLO_TRY(const std::uint32_t flags, parse_options(options));
    int error = 0;
    std::size_t offset = 0;
    pcre2_code* code =
        pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.empty() ? "" : pattern.data()),
                      pattern.size(), flags, &error, &offset, nullptr);
    if (code == nullptr) {
        return Error(ErrorCode::mql_invalid, "Regular expression is invalid: " + message_of(error),
                     "offset " + std::to_string(offset) + " of the pattern");
    }
    auto owned = std::make_shared<const Code>(code);
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); // without a JIT the interpreter is used
    return Regex(std::move(owned));
}

Result<bool> Regex::matches(std::string_view text) const {
    TOMBOLO_TRY(const int found, run(code_->code, text, 0, scratch().data.get()));
    return found > 0;
}

Result<std::vector<RegexRange>> Regex::find(std::string_view text, std::size_t from) const {
    const MatchData data(pcre2_match_data_create_from_pattern(code_->code, nullptr));
    TOMBOLO_TRY(const int found, run(code_->code, text, from, data.get()));
    std::vector<RegexRange> ranges;
    if (found == 0) {
        return ranges;
    }
    const std::size_t* offsets = pcre2_get_ovector_pointer(data.get());
    ranges.resize(group_count() + std::size_t{1});
    for (std::size_t i = 0; i < ranges.size() && i < static_cast<std::size_t>(found); ++i) {
        if (offsets[2 * i] != PCRE2_UNSET && offsets[2 * i] <= offsets[2 * i + 1]) {
            ranges[i] = {offsets[2 * i], offsets[2 * i + 1], true};
        }
    }
    return ranges;
}

std::uint32_t Regex::group_count() const noexcept {
    std::uint32_t count = 0;
    pcre2_pattern_info(code_->code, PCRE2_INFO_CAPTURECOUNT, &count);
    return count;
}

} // namespace tombolo::mql
