#include "core/error.hpp"

#include "core/check.hpp"

namespace tombolo {

std::string_view error_code_name(ErrorCode code) noexcept {
    switch (code) {
#define TOMBOLO_ERROR(name, number, meaning)                                                       \
    case ErrorCode::name:                                                                          \
        return #name;
#include "core/error_codes.def"
#undef TOMBOLO_ERROR
    }
    return "unknown";
}

std::string_view error_code_meaning(ErrorCode code) noexcept {
    switch (code) {
#define TOMBOLO_ERROR(name, number, meaning)                                                       \
    case ErrorCode::name:                                                                          \
        return meaning;
#include "core/error_codes.def"
#undef TOMBOLO_ERROR
    }
    return "unknown";
}

std::string error_codes_markdown() {
    std::string page =
        "# Error codes\n\n"
        "Made from `src/core/error_codes.def` by `build/release/bin/errors_doc`; do not edit.\n\n"
        "Every `tombolo::Error` carries one of these codes. Names and numbers never change "
        "meaning.\n\n"
        "| number | name | meaning |\n| --- | --- | --- |\n";
    const auto row = [&page](int number, std::string_view name, std::string_view meaning) {
        page += "| " + std::to_string(number) + " | `";
        page += name;
        page += "` | ";
        page += meaning;
        page += " |\n";
    };
#define TOMBOLO_ERROR(name, number, meaning) row(number, #name, meaning);
#include "core/error_codes.def"
#undef TOMBOLO_ERROR
    return page;
}

Error::Error(ErrorCode code, std::string message, std::string context) {
    std::string what = context.empty() ? message : message + " (" + context + ")";
    detail_ = std::make_shared<const Detail>(
        Detail{code, std::move(message), std::move(context), std::move(what)});
}

Error Error::within(std::string_view outer) const {
    std::string context(outer);
    if (!detail_->context.empty()) {
        context += ": ";
        context += detail_->context;
    }
    return Error(detail_->code, detail_->message, std::move(context));
}

namespace detail {

void check_failed(const char* condition, const char* file, int line) {
    throw Error(ErrorCode::internal, std::string("internal check failed: ") + condition,
                std::string(file) + ":" + std::to_string(line));
}

} // namespace detail

} // namespace tombolo
