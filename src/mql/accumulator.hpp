#pragma once

// Accumulators: $sum, $avg, $min and their kin, in $group, $bucket and as expressions over arrays.
//
// An AccumulatorSpec is compiled from {$sum: expression}; each group holds an Accumulator made by
// it. Thread-safety: a spec may be shared by readers; an accumulator belongs to one thread.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "core/result.hpp"
#include "mql/bson_value.hpp"
#include "mql/expression.hpp"
#include "mql/stage_sort_key.hpp"

namespace tombolo::mql {

enum class AccumulatorKind : std::uint8_t {
    sum,
    avg,
    min,
    max,
    first,
    last,
    push,
    add_to_set,
    count,
    merge_objects,
    std_dev_pop,
    std_dev_samp,
    first_n,
    last_n,
    min_n,
    max_n,
    top,
    bottom,
    top_n,
    bottom_n,
};

class Accumulator {
  public:
    virtual ~Accumulator() = default;
    /// `value` may be missing. `document` is what it was computed from: $top and its kin sort by
    /// it.
    virtual Result<void> add(BsonView value, BsonDocumentView document) = 0;
    virtual BsonValue result() const = 0;
    /// Bytes held, for the budget of the stage; about right.
    virtual std::size_t bytes() const noexcept { return 64; }
};

/// For the kinds from sum to std_dev_samp; $top and the n kinds need an AccumulatorSpec.
std::unique_ptr<Accumulator> make_accumulator(AccumulatorKind kind);

class AccumulatorSpec {
  public:
    /// `name` is the operator ("$sum"), `argument` what stands behind it.
    static Result<AccumulatorSpec> compile(std::string_view name, BsonView argument,
                                           const ExpressionOptions& options = {});

    /// {$name: argument}, the form of a field of $group.
    static Result<AccumulatorSpec> compile(BsonView spec, const ExpressionOptions& options = {});

    std::unique_ptr<Accumulator> make() const;
    /// The operand's value for one document.
    Result<BsonValue> operand(BsonDocumentView document, const EvaluationInput& input) const;

  private:
    AccumulatorSpec() = default;
    Result<void> compile_counted(BsonView argument, const ExpressionOptions& options);

    AccumulatorKind kind_ = AccumulatorKind::sum;
    std::optional<Expression> operand_;
    std::int64_t count_ = 1;
    std::shared_ptr<const SortKey> order_; // shared with every accumulator made
};

} // namespace tombolo::mql
