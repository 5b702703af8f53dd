#include "mql/expression.hpp"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "core/limits.hpp"
#include "mql/expression_node.hpp"

namespace tombolo::mql {

namespace detail {

std::byte* Scratch::allocate(std::size_t size) {
    bytes_ += size;
    if (chunk_ == 0 && size <= inline_bytes - used_) {
        std::byte* const start = first_.data() + used_;
        used_ += size;
        return start;
    }
    if (size > chunk_bytes / 4) {
        // Large values stand alone, so that a rewind gives their memory back.
        std::vector<std::byte> block(size);
        std::byte* const start = block.data();
        large_.push_back(std::move(block));
        return start;
    }
    if (chunk_ == 0 || size > chunk_bytes - used_) {
        ++chunk_;
        used_ = 0;
        if (chunk_ > chunks_.size()) {
            chunks_.push_back(std::make_unique<std::byte[]>(chunk_bytes));
        }
    }
    std::byte* const start = chunks_[chunk_ - 1].get() + used_;
    used_ += size;
    return start;
}

BsonView Scratch::keep(BsonValue value) {
    bytes_ += value.view().bytes().size();
    kept_.push_back(std::move(value));
    return kept_.back().view();
}

void Scratch::rewind(const Mark& mark) noexcept {
    chunk_ = mark.chunk;
    used_ = mark.used;
    kept_.resize(mark.kept);
    large_.resize(mark.large);
    bytes_ = mark.bytes;
}

Evaluation::Evaluation(BsonDocumentView document, const EvaluationInput& input, std::size_t slots)
    : input_(&input), slots_(slots) {
    slots_[0] = document.as_value();
    slots_[1] = document.as_value();
    for (std::size_t i = 0; i < input.variables.size() && i + 2 < slots; ++i) {
        slots_[i + 2] = input.variables[i];
    }
}

Result<void> Evaluation::step() {
    if (++steps_ > input_->steps_max) {
        return Error(ErrorCode::limit_exceeded,
                     fmt::format("an expression took more than {} steps", input_->steps_max));
    }
    if (scratch_.bytes() > input_->bytes_max) {
        return Error(ErrorCode::limit_exceeded,
                     fmt::format("an expression needs more than {} bytes of intermediate values",
                                 input_->bytes_max));
    }
    return {};
}

BsonView Evaluation::scalar(BsonType type, const void* data, std::size_t size) {
    std::byte* const bytes = scratch_.allocate(size);
    std::memcpy(bytes, data, size);
    return {type, {bytes, size}};
}

BsonView Evaluation::boolean(bool value) {
    static constexpr std::byte no{0};
    static constexpr std::byte yes{1};
    return {BsonType::boolean, {value ? &yes : &no, 1}};
}

BsonView Evaluation::int32(std::int32_t value) {
    return scalar(BsonType::int32, &value, sizeof value);
}

BsonView Evaluation::int64(std::int64_t value) {
    return scalar(BsonType::int64, &value, sizeof value);
}

BsonView Evaluation::integer(std::int64_t value) {
    const auto narrow = static_cast<std::int32_t>(value);
    return narrow == value ? int32(narrow) : int64(value);
}

BsonView Evaluation::float64(double value) {
    return scalar(BsonType::float64, &value, sizeof value);
}

BsonView Evaluation::decimal(Decimal128 value) {
    const std::array<std::uint64_t, 2> words = {value.low, value.high};
    return scalar(BsonType::decimal128, words.data(), sizeof words);
}

BsonView Evaluation::date(std::int64_t ms) {
    return scalar(BsonType::date, &ms, sizeof ms);
}

BsonView Evaluation::string(std::string_view text) {
    const auto length = static_cast<std::uint32_t>(text.size() + 1);
    std::byte* const bytes = scratch_.allocate(text.size() + 5);
    std::memcpy(bytes, &length, sizeof length);
    if (!text.empty()) {
        std::memcpy(bytes + 4, text.data(), text.size());
    }
    bytes[text.size() + 4] = std::byte{0};
    return {BsonType::string, {bytes, text.size() + 5}};
}

BsonView Evaluation::document(BsonWriter&& writer) {
    return scratch_.keep(std::move(writer).finish().into_value());
}

BsonView Evaluation::array(BsonWriter&& writer) {
    return scratch_.keep(std::move(writer).finish().into_array_value());
}

Error invalid_expression(std::string message, const std::string& path) {
    return Error(ErrorCode::mql_invalid, std::move(message), path);
}

Error failed(std::string message) {
    return Error(ErrorCode::mql_failed, std::move(message));
}

Result<void> check_size(std::size_t bytes, std::string_view operator_name) {
    if (bytes > limits::document_bytes_max) {
        return Error(ErrorCode::limit_exceeded,
                     fmt::format("{} would make a value larger than {} bytes", operator_name,
                                 limits::document_bytes_max));
    }
    return {};
}

namespace {

bool deeper_than(BsonView value, std::size_t levels) {
    if (!value.is_container()) {
        return false;
    }
    if (levels == 0) {
        return true;
    }
    for (const BsonElement& element : value.as_document()) {
        if (deeper_than(element.value, levels - 1)) {
            return true;
        }
    }
    return false;
}

} // namespace

Result<void> check_depth(BsonView value) {
    if (deeper_than(value, limits::document_depth_max)) {
        return Error(ErrorCode::limit_exceeded,
                     fmt::format("a computed value is nested deeper than {} levels",
                                 limits::document_depth_max));
    }
    return {};
}

} // namespace detail

Result<Expression> Expression::compile(BsonView spec, const ExpressionOptions& options) {
    detail::Compiler compiler(options);
    TOMBOLO_TRY(detail::NodePtr root, compiler.compile(spec, ""));
    return Expression(std::shared_ptr<const detail::ExpressionNode>(std::move(root)),
                      compiler.slots());
}

Result<BsonValue> Expression::evaluate(BsonDocumentView document,
                                       const EvaluationInput& input) const {
    detail::Evaluation evaluation(document, input, slots_);
    TOMBOLO_TRY(const BsonView value, root_->evaluate(evaluation));
    TOMBOLO_TRY_VOID(detail::check_depth(value));
    return BsonValue(value);
}

Result<bool> Expression::evaluate_truth(BsonDocumentView document,
                                        const EvaluationInput& input) const {
    detail::Evaluation evaluation(document, input, slots_);
    TOMBOLO_TRY(const BsonView value, root_->evaluate(evaluation));
    return value.truthy();
}

bool Expression::is_constant() const noexcept {
    return root_->constant().has_value();
}

} // namespace tombolo::mql
