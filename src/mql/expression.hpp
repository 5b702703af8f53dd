#pragma once

// MongoDB's aggregation expressions: compiled once, evaluated on many documents.
//
//     TOMBOLO_TRY(const auto expression, Expression::compile(spec));
//     TOMBOLO_TRY(const auto value, expression.evaluate(document, input));
//
// The spec is a BSON value: "$field.path", "$$variable.path", {$operator: arguments}, an object or
// array of expressions, or a literal. $$ROOT, $$CURRENT, $$NOW and $$REMOVE are known; other
// variables are those of ExpressionOptions and of $let, $map, $filter and $reduce. An unknown
// operator or variable is an error of compile that names it and its path in the spec.
//
// Bounds: nesting (limits::document_depth_max), the size of every computed value
// (limits::document_bytes_max), and the steps and bytes of one evaluation (EvaluationInput). Clock
// and randomness are passed in; nothing here does I/O.
//
// An Expression is immutable and cheap to copy. Thread-safety: const use from any thread.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "mql/bson_value.hpp"

namespace tombolo::mql {

struct ExpressionOptions {
    /// Names of user variables, without "$$"; their values come in EvaluationInput::variables, in
    /// this order.
    std::vector<std::string> variables;
};

/// What one evaluation needs beside the document. Borrowed for the call only.
struct EvaluationInput {
    std::int64_t now_ms = 0; ///< $$NOW, milliseconds since 1970
    const std::function<double()>* random =
        nullptr;                         ///< uniform in [0, 1) for $rand; null makes $rand an error
    std::span<const BsonView> variables; ///< may be shorter than the names: the rest are missing
    std::size_t steps_max = 50'000'000;  ///< operators evaluated, loops included
    std::size_t bytes_max = 256 * 1024 * 1024; ///< memory of intermediate values
};

namespace detail {
class ExpressionNode;
}

class Expression {
  public:
    /// mql_invalid or mql_unsupported; the context is the path inside the spec, e.g.
    /// "$cond.if.$gt[0]".
    static Result<Expression> compile(BsonView spec, const ExpressionOptions& options = {});

    /// The value, of type missing when the expression yields none (an absent field, $$REMOVE).
    /// mql_failed when an operator does not accept its operands, limit_exceeded beyond the bounds.
    Result<BsonValue> evaluate(BsonDocumentView document, const EvaluationInput& input) const;

    /// Truth of the value: what $expr asks. No copy of the value is made.
    Result<bool> evaluate_truth(BsonDocumentView document, const EvaluationInput& input) const;

    /// True when the value depends neither on the document nor on variables, clock and randomness.
    bool is_constant() const noexcept;

  private:
    friend class ExpressionAccess;
    explicit Expression(std::shared_ptr<const detail::ExpressionNode> root, std::size_t slots)
        : root_(std::move(root)), slots_(slots) {}

    // Shared: a compiled pipeline is copied into every request that runs it.
    std::shared_ptr<const detail::ExpressionNode> root_;
    std::size_t slots_;
};

} // namespace tombolo::mql
