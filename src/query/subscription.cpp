#include "query/subscription.hpp"

#include <fmt/format.h>

#include "core/limits.hpp"
#include "query/bound_printer.hpp"

namespace tombolo::query {
namespace {

using schema::CollectionKind;
using schema::Property;
using schema::PropertyType;

class Checker {
  public:
    Checker(const Query& query, const SubscriptionRules& rules) : query_(query), rules_(rules) {}

    Result<void> check() const;

  private:
    Error refuse(std::string_view what) const {
        return Error(ErrorCode::query_unsupported,
                     fmt::format("Invalid query: \"{}\": {}", query_.object_class->name(), what));
    }
    Result<void> check(const Condition& condition) const;
    Result<void> check(const Comparison& comparison) const;
    Result<void> check_operand(const Operand& operand) const;
    Result<void> check_path(const Path& path, bool geo) const;
    Result<void> check_queryable(const Property& property) const;
    Result<void> check_indexed() const;

    const Query& query_;
    const SubscriptionRules& rules_;
};

Result<void> Checker::check() const {
    const schema::ClassSchema& object_class = *query_.object_class;
    if (object_class.is_embedded() || object_class.is_asymmetric()) {
        return refuse(fmt::format("{} classes cannot be subscribed to",
                                  object_class.is_embedded() ? "embedded" : "asymmetric"));
    }
    TOMBOLO_TRY_VOID(check(query_.condition));
    if (!query_.suffixes.empty()) {
        static constexpr const char* names[] = {"SORT", "DISTINCT", "LIMIT"};
        return refuse(fmt::format("{} is not supported in a subscription: the order and number of "
                                  "objects is for queries on the device",
                                  names[query_.suffixes.front().index()]));
    }
    return check_indexed();
}

Result<void> Checker::check(const Condition& condition) const {
    if (const auto* comparison = std::get_if<Comparison>(&condition.node)) {
        return check(*comparison);
    }
    if (std::holds_alternative<TextCondition>(condition.node)) {
        return refuse("TEXT (full-text search) is not supported in a subscription");
    }
    if (const auto* geo = std::get_if<GeoCondition>(&condition.node)) {
        return check_path(geo->path, true);
    }
    if (const auto* negation = std::get_if<Negation>(&condition.node)) {
        return check(*negation->operand);
    }
    if (const auto* group = std::get_if<Group>(&condition.node)) {
        for (const Condition& operand : group->operands) {
            TOMBOLO_TRY_VOID(check(operand));
        }
    }
    return {};
}

Result<void> Checker::check(const Comparison& comparison) const {
    TOMBOLO_TRY_VOID(check_operand(comparison.left));
    TOMBOLO_TRY_VOID(check_operand(comparison.right));
    if (!comparison.left.is_constant() && !comparison.right.is_constant()) {
        return refuse("comparing a property with a property is not supported in a subscription; "
                      "compare it with a constant");
    }
    if (comparison.left.is_many() && comparison.right.is_many()) {
        return refuse("comparing a list with a list is not supported in a subscription");
    }
    return {};
}

Result<void> Checker::check_operand(const Operand& operand) const {
    if (const auto* path = std::get_if<Path>(&operand.node)) {
        return check_path(*path, false);
    }
    if (std::holds_alternative<Aggregate>(operand.node)) {
        return refuse("@min, @max, @sum and @avg are not supported in a subscription");
    }
    if (std::holds_alternative<Subquery>(operand.node)) {
        return refuse("SUBQUERY is not supported in a subscription");
    }
    if (std::holds_alternative<Arithmetic>(operand.node)) {
        return refuse("arithmetic is not supported in a subscription");
    }
    return {};
}

Result<void> Checker::check_queryable(const Property& property) const {
    if (!rules_.queryable.contains(query_.object_class->name(), property.name)) {
        return refuse(fmt::format("key \"{}\" is not a queryable field", property.name));
    }
    return {};
}

Result<void> Checker::check_path(const Path& path, bool geo) const {
    for (const Step& step : path.steps) {
        if (step.kind == StepKind::backlinks) {
            return refuse("backlinks (@links) are not supported in a subscription");
        }
    }
    if (path.ending == Ending::all_backlinks || path.steps.empty()) {
        return refuse("backlinks (@links) are not supported in a subscription");
    }
    const Property& property = *path.steps.front().property;
    const std::size_t plain = property.collection == CollectionKind::none ? 1 : 2;
    const bool follows = path.steps.size() > 1 && path.steps.back().kind == StepKind::follow;
    if (geo && path.steps.size() == 2 && follows) {
        return check_queryable(property);
    }
    for (const Step& step : path.steps) {
        if (step.kind == StepKind::follow) {
            return refuse(
                fmt::format("\"{}\" reads through a link or embedded object, which is not "
                            "supported in a subscription",
                            print(path)));
        }
    }
    if (path.ending == Ending::type) {
        return refuse("@type is not supported in a subscription");
    }
    TOMBOLO_TRY_VOID(check_queryable(property));
    if (property.type == PropertyType::link || property.type == PropertyType::mixed ||
        property.collection == CollectionKind::set ||
        property.collection == CollectionKind::dictionary) {
        return refuse(
            fmt::format("key \"{}\" of type {} cannot be queried: only scalars, arrays of "
                        "scalars and GeoJSON points can",
                        property.name, schema::type_text(property)));
    }
    if (path.ending == Ending::size) {
        if (property.collection != CollectionKind::list || path.steps.size() != 1) {
            return refuse("@count and @size are supported on array fields only");
        }
        return {};
    }
    if (path.steps.size() > plain ||
        (path.steps.size() == 2 && path.steps[1].kind != StepKind::elements)) {
        return refuse(fmt::format("\"{}\" selects elements by index or key, which is not supported "
                                  "in a subscription",
                                  print(path)));
    }
    return {};
}

bool ties_field(const Condition& condition, std::string_view field) noexcept {
    const auto* comparison = std::get_if<Comparison>(&condition.node);
    if (!comparison || comparison->op != ComparisonOperator::equal || comparison->ignore_case) {
        return false;
    }
    const auto* left = std::get_if<Path>(&comparison->left.node);
    const auto* right = std::get_if<Path>(&comparison->right.node);
    const Path* path = left ? left : right;
    const Operand& constants = left ? comparison->right : comparison->left;
    return path && path->ending == Ending::value && path->steps.size() == 1 &&
           path->steps[0].property->name == field &&
           (constants.quantifier == Quantifier::unspecified ||
            constants.quantifier == Quantifier::any);
}

Result<void> Checker::check_indexed() const {
    if (rules_.indexed_field.empty() || !query_.object_class->find(rules_.indexed_field)) {
        return {};
    }
    bool tied = ties_field(query_.condition, rules_.indexed_field);
    const auto* group = std::get_if<Group>(&query_.condition.node);
    if (group && group->op == GroupOperator::conjunction) {
        for (const Condition& operand : group->operands) {
            tied = tied || ties_field(operand, rules_.indexed_field);
        }
    }
    if (!tied) {
        return refuse(
            fmt::format("the query must compare the indexed queryable field \"{}\" with == "
                        "or IN to constants, joined with AND at the top level",
                        rules_.indexed_field));
    }
    return {};
}

} // namespace

Result<void> check_subscription(const Query& query, const SubscriptionRules& rules) {
    return Checker(query, rules).check();
}

Result<Query> compile_subscription(std::string_view text, const schema::Schema& schema,
                                   std::string_view class_name, const SubscriptionRules& rules) {
    if (text.size() > limits::subscription_bytes_max) {
        return Error(ErrorCode::limit_exceeded,
                     fmt::format("Invalid query: \"{}\": the query has {} bytes; at most {} are "
                                 "allowed",
                                 class_name, text.size(), limits::subscription_bytes_max));
    }
    auto query = compile(text, schema, class_name);
    if (!query) {
        return Error(query.error().code(),
                     fmt::format("Invalid query: \"{}\": {}", class_name, query.error().message()));
    }
    TOMBOLO_TRY_VOID(check_subscription(*query, rules));
    return query;
}

} // namespace tombolo::query
