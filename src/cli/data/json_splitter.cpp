#include "cli/data/json_splitter.hpp"

#include <fmt/format.h>

#include "core/limits.hpp"

namespace tombolo::cli {

Error JsonSplitter::wrong(const std::string& what) const {
    return Error(ErrorCode::bad_json, what, fmt::format("line {}", line_));
}

void JsonSplitter::consumed(std::size_t count) {
    at_ -= count;
    begin_ -= begin_ < count ? begin_ : count;
}

Result<std::optional<JsonSplitter::Extent>> JsonSplitter::next(std::string_view text, bool last) {
    for (; at_ < text.size(); ++at_) {
        const char c = text[at_];
        line_ += c == '\n' ? 1 : 0;
        if (depth_ > 0) {
            if (in_string_) {
                in_string_ = escaped_ || c != '"';
                escaped_ = !escaped_ && c == '\\';
            } else if (c == '"') {
                in_string_ = true;
            } else if (c == '{' || c == '[') {
                ++depth_;
            } else if ((c == '}' || c == ']') && --depth_ == 0) {
                need_comma_ = in_array_;
                ++at_;
                return std::optional<Extent>(Extent{begin_, at_, started_line_});
            }
            if (at_ - begin_ > limits::ejson_bytes_max) {
                return Error(
                    ErrorCode::limit_exceeded,
                    fmt::format("an object is longer than {} bytes", limits::ejson_bytes_max),
                    fmt::format("line {}", started_line_));
            }
            continue;
        }
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            continue;
        }
        if (array_ended_) {
            return wrong("there is something after the array");
        }
        if (c == '{' && !need_comma_) {
            begin_ = at_;
            started_line_ = line_;
            depth_ = 1;
            after_comma_ = false;
        } else if (c == '[' && first_) {
            in_array_ = true;
        } else if (c == ',' && need_comma_) {
            need_comma_ = false;
            after_comma_ = true;
        } else if (c == ']' && in_array_ && !after_comma_) {
            array_ended_ = true;
        } else if (need_comma_) {
            return wrong("expected ',' or ']' after an object of the array");
        } else {
            return wrong("expected an object: documents are objects, in an array or one after the "
                         "other");
        }
        first_ = false;
    }
    if (last && depth_ > 0) {
        return Error(ErrorCode::bad_json, "the file ends inside an object",
                     fmt::format("line {}", started_line_));
    }
    if (last && in_array_ && !array_ended_) {
        return wrong("the file ends before the array does");
    }
    return std::optional<Extent>();
}

} // namespace tombolo::cli
