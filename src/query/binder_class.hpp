#pragma once

// What binds predicates, operands and suffixes. Internal to query/.

#include <algorithm>
#include <string>
#include <vector>

#include "query/bind_context.hpp"

namespace tombolo::query::detail {

using schema::ClassSchema;
using schema::CollectionKind;
using schema::Property;
using schema::PropertyType;
using syntax::Position;

/// Literals, lists of them, and arithmetic on nothing else.
inline bool is_constant(const syntax::Expression& expression) noexcept {
    if (const auto* arithmetic = std::get_if<syntax::Box<syntax::Arithmetic>>(&expression.node)) {
        return std::all_of((*arithmetic)->operands.begin(), (*arithmetic)->operands.end(),
                           is_constant);
    }
    return std::holds_alternative<syntax::Literal>(expression.node) ||
           std::holds_alternative<syntax::ListLiteral>(expression.node);
}

class Binder {
  public:
    explicit Binder(BindContext& context) : context_(context) {}

    Result<Condition> condition(const syntax::Predicate& predicate, const Scope& scope);
    Result<Suffix> suffix(const syntax::Suffix& suffix, const Scope& scope);

  private:
    Result<Condition> bind(const syntax::Comparison& node, const Scope& scope);
    Result<Condition> bind(const syntax::Between& node, const Scope& scope);
    Result<Condition> bind(const syntax::GeoWithin& node, const Scope& scope);
    Result<Condition> bind(const syntax::Constant& node, const Scope& scope);
    Result<Condition> bind(const syntax::Negation& node, const Scope& scope);
    Result<Condition> bind(const syntax::Group& node, const Scope& scope);

    Result<Condition> compare(const syntax::Comparison& node, Operand left, Operand right);
    Result<void> check_operator(const syntax::Comparison& node, const Operand& left,
                                const Operand& right);
    Result<void> check_links(const syntax::Comparison& node, const Operand& left,
                             const Operand& right);
    Result<ComparisonMode> mode(const syntax::Comparison& node, Operand& left, Operand& right);
    Result<Condition> text(const syntax::Comparison& node, const Scope& scope);

    Result<Operand> operand(const syntax::Expression& node, const Scope& scope);
    Result<Operand> operand(const syntax::Property& node, Position position, const Scope& scope);
    Result<Operand> operand(const syntax::Aggregate& node, const Scope& scope);
    Result<Operand> operand(const syntax::Subquery& node, const Scope& scope);
    Result<Operand> operand(const syntax::Arithmetic& node, Position position, const Scope& scope);

    Result<Operand> constant(const syntax::Expression& node, const StaticType* hint);
    Result<Operand> constants(const std::vector<syntax::Literal>& literals, bool is_list,
                              Quantifier quantifier, const StaticType* hint);
    Result<Operand> type_names(const std::vector<Value>& values, bool is_list, Position position);
    Result<Operand> folded(const syntax::Arithmetic& node, Position position);

    Result<GeoShape> shape(const syntax::GeoShapeLiteral& literal);
    Result<GeoPoint> point(const syntax::GeoPointLiteral& literal);
    Result<Path> sort_path(const syntax::Path& path, const Scope& scope);

    BindContext& context_;
};

} // namespace tombolo::query::detail
