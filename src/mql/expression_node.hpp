#pragma once

// Inside of the expression language: nodes, the state of one evaluation, and the compiler that the
// operator files share.
//
// A node evaluates to a BsonView that lives in the document, in the spec, in a variable or in the
// evaluation's Scratch. The caller of evaluate() copies the final value out. Slots hold variables:
// 0 is ROOT, 1 is CURRENT, then those of ExpressionOptions, then those of $let and its kin,
// numbered at compile time.

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "mql/bson_value.hpp"
#include "mql/expression.hpp"

namespace tombolo::mql::detail {

/// Memory of the values computed in one evaluation. Values die when the scratch is rewound to an
/// earlier mark.
class Scratch {
  public:
    struct Mark {
        std::size_t chunk;
        std::size_t used;
        std::size_t kept;
        std::size_t large;
        std::size_t bytes;
    };

    std::byte* allocate(std::size_t size);
    /// Takes the value over and returns a view of it.
    BsonView keep(BsonValue value);
    std::size_t bytes() const noexcept { return bytes_; }

    Mark mark() const noexcept { return {chunk_, used_, kept_.size(), large_.size(), bytes_}; }
    void rewind(const Mark& mark) noexcept;

  private:
    static constexpr std::size_t inline_bytes = 512;
    static constexpr std::size_t chunk_bytes = 16 * 1024;

    std::array<std::byte, inline_bytes> first_;
    std::vector<std::unique_ptr<std::byte[]>> chunks_; // chunk_ 0 is first_, n is chunks_[n - 1]
    std::vector<BsonValue> kept_;
    std::vector<std::vector<std::byte>> large_;
    std::size_t chunk_ = 0;
    std::size_t used_ = 0;
    std::size_t bytes_ = 0;
};

/// The state of one call of Expression::evaluate.
class Evaluation {
  public:
    Evaluation(BsonDocumentView document, const EvaluationInput& input, std::size_t slots);

    /// Counts one operator; limit_exceeded beyond the bounds.
    Result<void> step();

    BsonView slot(std::size_t index) const noexcept { return slots_[index]; }
    void set_slot(std::size_t index, BsonView value) noexcept { slots_[index] = value; }
    const EvaluationInput& input() const noexcept { return *input_; }
    Scratch& scratch() noexcept { return scratch_; }

    // Computed values.
    BsonView boolean(bool value);
    BsonView int32(std::int32_t value);
    BsonView int64(std::int64_t value);
    /// int32 when it fits, else int64.
    BsonView integer(std::int64_t value);
    BsonView float64(double value);
    BsonView decimal(Decimal128 value);
    BsonView date(std::int64_t ms);
    BsonView string(std::string_view text);
    BsonView document(BsonWriter&& writer);
    BsonView array(BsonWriter&& writer);

  private:
    BsonView scalar(BsonType type, const void* data, std::size_t size);

    const EvaluationInput* input_;
    std::vector<BsonView> slots_;
    Scratch scratch_;
    std::size_t steps_ = 0;
};

class ExpressionNode {
  public:
    virtual ~ExpressionNode() = default;
    virtual Result<BsonView> evaluate(Evaluation& evaluation) const = 0;
    /// The value of a node that always has the same one.
    virtual std::optional<BsonView> constant() const { return std::nullopt; }
};

using NodePtr = std::unique_ptr<const ExpressionNode>;

/// What an operator is given. `present` has a bit for each named argument that stands in the spec.
struct Arguments {
    Evaluation& evaluation;
    std::span<const BsonView> values;
    std::uint32_t present = 0;

    BsonView operator[](std::size_t index) const noexcept {
        return index < values.size() ? values[index] : BsonView();
    }
    std::size_t size() const noexcept { return values.size(); }
    bool has(std::size_t index) const noexcept { return ((present >> index) & 1U) != 0; }
};

using OperatorFunction = Result<BsonView> (*)(const Arguments&);

/// An operator with all its arguments evaluated first: {$name: [a, b]} (or {$name: a}) for
/// positional ones.
struct PositionalOperator {
    std::string_view name;
    std::size_t least;
    std::size_t most;
    OperatorFunction function;
};

inline constexpr std::size_t any_count = 1'000'000;
inline constexpr std::size_t named_arguments_max = 12;

/// {$name: {a: ..., b: ...}}. A name that starts with '?' is optional.
struct NamedOperator {
    std::string_view name;
    std::array<std::string_view, named_arguments_max> names;
    OperatorFunction function;
};

class Compiler {
  public:
    explicit Compiler(const ExpressionOptions& options);

    Result<NodePtr> compile(BsonView spec, const std::string& path);
    /// Arguments that may be written as an array or, if one, alone.
    Result<std::vector<NodePtr>> compile_list(BsonView spec, const std::string& path);
    /// The named fields of an argument document, in the order of `names`; null nodes for absent
    /// optional ones.
    Result<std::vector<NodePtr>>
    compile_named(BsonView spec, std::span<const std::string_view> names, const std::string& path);

    /// A new variable that shadows an equal name until pop_variables. The slot's number.
    std::size_t push_variable(std::string_view name);
    void pop_variables(std::size_t count);
    std::size_t slots() const noexcept { return slots_; }

  private:
    Result<NodePtr> compile_text(std::string_view text, const std::string& path);
    Result<NodePtr> compile_document(BsonDocumentView spec, const std::string& path);
    Result<NodePtr> compile_operator(std::string_view name, BsonView spec, const std::string& path);

    std::vector<std::pair<std::string, std::size_t>> variables_;
    std::size_t slots_;
    std::size_t depth_ = 0;
};

/// Forms whose arguments are not simply evaluated first: $cond, $let, $map, ... Null function when
/// unknown.
using SpecialForm = Result<NodePtr> (*)(Compiler&, BsonView spec, const std::string& path);
SpecialForm find_special_form(std::string_view name) noexcept;

const PositionalOperator* find_positional(std::string_view name) noexcept;
const NamedOperator* find_named(std::string_view name) noexcept;

// One table a file of operators.
std::span<const PositionalOperator> logic_operators() noexcept;
std::span<const PositionalOperator> arithmetic_operators() noexcept;
std::span<const PositionalOperator> math_operators() noexcept;
std::span<const PositionalOperator> string_operators() noexcept;
std::span<const PositionalOperator> array_operators() noexcept;
std::span<const PositionalOperator> set_operators() noexcept;
std::span<const PositionalOperator> type_operators() noexcept;
std::span<const PositionalOperator> object_operators() noexcept;
std::span<const PositionalOperator> summary_operators() noexcept;
std::span<const NamedOperator> string_named_operators() noexcept;
std::span<const NamedOperator> array_named_operators() noexcept;
std::span<const NamedOperator> date_named_operators() noexcept;

// Special forms, by file.
Result<NodePtr> make_and(Compiler& compiler, BsonView spec, const std::string& path);
Result<NodePtr> make_or(Compiler& compiler, BsonView spec, const std::string& path);
Result<NodePtr> make_cond(Compiler& compiler, BsonView spec, const std::string& path);
Result<NodePtr> make_if_null(Compiler& compiler, BsonView spec, const std::string& path);
Result<NodePtr> make_switch(Compiler& compiler, BsonView spec, const std::string& path);
Result<NodePtr> make_let(Compiler& compiler, BsonView spec, const std::string& path);
Result<NodePtr> make_literal(Compiler& compiler, BsonView spec, const std::string& path);
Result<NodePtr> make_rand(Compiler& compiler, BsonView spec, const std::string& path);
Result<NodePtr> make_map(Compiler& compiler, BsonView spec, const std::string& path);
Result<NodePtr> make_filter(Compiler& compiler, BsonView spec, const std::string& path);
Result<NodePtr> make_reduce(Compiler& compiler, BsonView spec, const std::string& path);
Result<NodePtr> make_sort_array(Compiler& compiler, BsonView spec, const std::string& path);
Result<NodePtr> make_get_field(Compiler& compiler, BsonView spec, const std::string& path);
Result<NodePtr> make_set_field(Compiler& compiler, BsonView spec, const std::string& path);
Result<NodePtr> make_unset_field(Compiler& compiler, BsonView spec, const std::string& path);
Result<NodePtr> make_convert(Compiler& compiler, BsonView spec, const std::string& path);
Result<NodePtr> make_regex_match(Compiler& compiler, BsonView spec, const std::string& path);
Result<NodePtr> make_regex_find(Compiler& compiler, BsonView spec, const std::string& path);
Result<NodePtr> make_regex_find_all(Compiler& compiler, BsonView spec, const std::string& path);
/// $year, $month, ...: a date, or {date, timezone}. Null when the name is none of them.
SpecialForm find_date_part(std::string_view name) noexcept;

NodePtr make_constant(BsonView value);
/// Letters, digits, '_'; begins with a lower-case letter.
Result<void> check_variable_name(std::string_view name, const std::string& path);

// Errors of the two kinds.
Error invalid_expression(std::string message, const std::string& path);
Error failed(std::string message);

/// The text of a value as $concat and its kin coerce it: strings, numbers, dates; null and missing
/// are "".
Result<std::string> coerce_to_string(BsonView value, std::string_view operator_name);
/// A number printed as $toString does.
std::string number_text(BsonView number);
/// limit_exceeded when a value of that many bytes may not be made.
Result<void> check_size(std::size_t bytes, std::string_view operator_name);
/// limit_exceeded when a computed value is nested deeper than documents may be: deeper ones would
/// make the recursion of comparison and hashing unbounded.
Result<void> check_depth(BsonView value);

} // namespace tombolo::mql::detail
