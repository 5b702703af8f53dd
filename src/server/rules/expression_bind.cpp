// From a parsed tree and one user's facts to a tree that only documents decide.

#include <algorithm>
#include <array>

#include "server/rules/expression_tree.hpp"

namespace tombolo::rules {

namespace detail {

using mql::BsonElement;
using mql::BsonType;
using mql::BsonValue;
using mql::BsonView;

namespace {

BoundNode constant(bool value) {
    BoundNode node;
    node.value = value;
    return node;
}

bool is_constant(const BoundNode& node, bool value) noexcept {
    return node.kind == BoundNode::Kind::constant && node.value == value;
}

bool is_query(const BoundNode& node, Source source) noexcept {
    return node.kind == BoundNode::Kind::query && node.source == source;
}

BoundNode query(Source source, mql::BsonDocument spec) {
    BoundNode node;
    node.kind = BoundNode::Kind::query;
    node.source = source;
    node.spec = std::move(spec);
    return node;
}

// {"$and": [spec, ...]}.
mql::BsonDocument combined(std::string_view name, const std::vector<BoundNode>& queries) {
    mql::BsonWriter writer;
    writer.begin_array(name);
    for (const BoundNode& node : queries) {
        writer.append({}, node.spec.view().as_value());
    }
    return std::move(writer).finish();
}

std::string_view group_name(BoundNode::Kind kind) noexcept {
    return kind == BoundNode::Kind::all ? "$and" : kind == BoundNode::Kind::any ? "$or" : "$nor";
}

// The queries of a group on one document become one query, so that matching walks one tree.
void merge_queries(BoundNode::Kind kind, std::vector<BoundNode>& children) {
    for (const Source source : {Source::root, Source::previous}) {
        const auto first_other =
            std::stable_partition(children.begin(), children.end(),
                                  [&](const BoundNode& child) { return is_query(child, source); });
        if (first_other - children.begin() < 2) {
            continue;
        }
        std::vector<BoundNode> queries(std::make_move_iterator(children.begin()),
                                       std::make_move_iterator(first_other));
        children.erase(children.begin(), first_other);
        // Inside $nor stands what must not be: any of them.
        const auto inner = kind == BoundNode::Kind::all ? "$and" : "$or";
        children.insert(children.begin(), query(source, combined(inner, queries)));
    }
}

BoundNode group(BoundNode::Kind kind, std::vector<BoundNode> children) {
    // One child of this value decides an AND (false), an OR (true), a NOR (true, to false).
    const bool decisive = kind != BoundNode::Kind::all;
    const bool if_decided = kind == BoundNode::Kind::any;
    std::vector<BoundNode> kept;
    for (BoundNode& child : children) {
        if (is_constant(child, decisive)) {
            return constant(if_decided);
        }
        if (child.kind != BoundNode::Kind::constant) {
            kept.push_back(std::move(child));
        }
    }
    if (kept.empty()) {
        return constant(!if_decided);
    }
    merge_queries(kind, kept);
    if (kept.size() == 1) {
        if (kind != BoundNode::Kind::none) {
            return std::move(kept.front());
        }
        if (kept.front().kind == BoundNode::Kind::query) {
            return query(kept.front().source, combined(group_name(kind), kept));
        }
    }
    BoundNode node;
    node.kind = kind;
    node.children = std::move(kept);
    return node;
}

void compile_queries(BoundNode& node) {
    if (node.kind == BoundNode::Kind::query) {
        auto filter = mql::Filter::compile(node.spec);
        if (filter) {
            node.filter = *std::move(filter);
        } else {
            node = constant(false); // deeper than a filter may be: nobody
        }
        return;
    }
    for (BoundNode& child : node.children) {
        compile_queries(child);
    }
}

class Binding {
  public:
    explicit Binding(const BindingValues& values) : values_(values) {}

    BoundNode run(const Node& node) const {
        switch (node.kind) {
        case Node::Kind::constant:
            return constant(node.value);
        case Node::Kind::all:
            return group(BoundNode::Kind::all, run_all(node.children));
        case Node::Kind::any:
            return group(BoundNode::Kind::any, run_all(node.children));
        case Node::Kind::none:
            return group(BoundNode::Kind::none, run_all(node.children));
        case Node::Kind::call: {
            BoundNode call;
            call.kind = BoundNode::Kind::call;
            call.left = fixed(node.left);
            return call;
        }
        case Node::Kind::test:
            break;
        }
        return test(node);
    }

  private:
    std::vector<BoundNode> run_all(const std::vector<Node>& nodes) const {
        std::vector<BoundNode> out;
        out.reserve(nodes.size());
        for (const Node& node : nodes) {
            out.push_back(run(node));
        }
        return out;
    }

    BoundNode test(const Node& node) const {
        const Operand left = fixed(node.left);
        const Operand right = fixed(node.right);
        const bool left_fixed = is_fixed(left);
        if (node.op == Operator::exists) {
            return exists(left, node.right.literal.view().as_bool());
        }
        if (left.kind == Operand::Kind::undefined ||
            (node.op != Operator::mongo && right.kind == Operand::Kind::undefined)) {
            return constant(false);
        }
        if (node.op == Operator::mongo && node.mongo_expands) {
            const Filled filled = fill_expansions(
                node.mongo, [&](std::string_view expansion) { return filling(expansion); });
            if (filled.is_unknown || filled.is_misplaced) {
                return constant(false);
            }
            return left_fixed ? constant(matches(left.literal, filled.tests))
                              : on_document(left, wrapped(left, filled.tests));
        }
        if (node.op == Operator::mongo) {
            return left_fixed ? constant(matches(left.literal, node.mongo))
                              : on_document(left, wrapped(left, node.mongo));
        }
        if (!is_fixed(right)) {
            return flipped(node, left, right);
        }
        if (left_fixed) {
            const auto spec = query_spec("value", node.op, right.literal);
            return constant(spec && matches_spec(left.literal, *spec));
        }
        const auto spec = query_spec(path_of(left), node.op, right.literal);
        return spec ? on_document(left, *spec) : constant(false);
    }

    // {fixed: {$in: "%%root.list"}} asks whether the list has the value: a query again.
    static BoundNode flipped(const Node& node, const Operand& left, const Operand& right) {
        if (node.op == Operator::in && left.kind == Operand::Kind::literal &&
            right.kind == Operand::Kind::expansion && right.source == Source::root &&
            !right.path.empty()) {
            mql::BsonWriter writer;
            writer.begin_document(right.path);
            writer.begin_document("$elemMatch");
            writer.append("$eq", left.literal);
            return query(Source::root, std::move(writer).finish());
        }
        BoundNode compare;
        compare.kind = BoundNode::Kind::compare;
        compare.left = left;
        compare.op = node.op;
        compare.right = right;
        return compare;
    }

    static BoundNode exists(const Operand& left, bool wanted) {
        if (is_fixed(left) || left.kind == Operand::Kind::undefined) {
            return constant((left.kind != Operand::Kind::undefined) == wanted);
        }
        const bool whole_document =
            left.path.empty() && (left.source == Source::root || left.source == Source::previous);
        if (whole_document) {
            BoundNode node;
            node.kind = BoundNode::Kind::exists;
            node.source = left.source;
            node.value = wanted;
            return node;
        }
        mql::BsonWriter writer;
        writer.begin_document(path_of(left));
        writer.append_bool("$exists", wanted);
        return on_document(left, std::move(writer).finish());
    }

    // What an expansion inside MongoDB's operators is: parsing has seen to it that binding knows.
    Filling filling(std::string_view text) const {
        if (text == "%%true" || text == "%%false") {
            return {true, BsonValue::from_bool(text == "%%true")};
        }
        Operand operand;
        operand.kind = Operand::Kind::expansion;
        static constexpr std::array<std::pair<std::string_view, Source>, 5> fixed_sources = {
            {{"%%user.custom_data", Source::custom_data},
             {"%%user", Source::user},
             {"%%values", Source::values},
             {"%%environment", Source::environment},
             {"%%request", Source::request}}};
        for (const auto& [name, source] : fixed_sources) {
            if (text.starts_with(name) &&
                (text.size() == name.size() || text[name.size()] == '.')) {
                operand.source = source;
                operand.path = text.substr(std::min(text.size(), name.size() + 1));
                BsonValue value = expansion(operand);
                return {!value.is_missing(), std::move(value)};
            }
        }
        return {false, {}};
    }

    static BoundNode on_document(const Operand& left, mql::BsonDocument spec) {
        return query(left.source, std::move(spec));
    }

    // Values of fields are wrapped as {"value": ...} to be matched.
    static std::string path_of(const Operand& left) {
        if (left.source != Source::field && left.source != Source::previous_field) {
            return left.path;
        }
        return left.path.empty() ? "value" : "value." + left.path;
    }

    static mql::BsonDocument wrapped(const Operand& left, const mql::BsonDocument& tests) {
        mql::BsonWriter writer;
        writer.append(path_of(left), tests.view().as_value());
        return std::move(writer).finish();
    }

    static bool matches(BsonView value, const mql::BsonDocument& tests) {
        mql::BsonWriter writer;
        writer.append("value", tests.view().as_value());
        return matches_spec(value, std::move(writer).finish());
    }

    static bool matches_spec(BsonView value, const mql::BsonDocument& spec) {
        const auto filter = mql::Filter::compile(spec);
        if (!filter) {
            return false;
        }
        mql::BsonWriter document;
        document.append("value", value);
        const auto matched = filter->matches(std::move(document).finish());
        return matched && *matched;
    }

    static bool is_fixed(const Operand& operand) noexcept {
        return operand.kind == Operand::Kind::literal;
    }

    // The operand with everything replaced that is known now.
    Operand fixed(const Operand& operand) const {
        switch (operand.kind) {
        case Operand::Kind::undefined:
        case Operand::Kind::literal:
            return operand;
        case Operand::Kind::expansion:
            return is_of_document(operand.source) ? operand : literal(expansion(operand));
        case Operand::Kind::conversion: {
            Operand out = operand;
            out.items[0] = fixed(operand.items[0]);
            if (out.items[0].kind == Operand::Kind::undefined) {
                return {};
            }
            return is_fixed(out.items[0])
                       ? literal(convert(operand.conversion, out.items[0].literal))
                       : out;
        }
        case Operand::Kind::function:
        case Operand::Kind::list:
            break;
        }
        Operand out = operand;
        for (Operand& item : out.items) {
            item = fixed(item);
        }
        return operand.kind == Operand::Kind::list ? folded_list(std::move(out)) : out;
    }

    // Undefined elements match nothing and go.
    static Operand folded_list(Operand list) {
        list.items.erase(std::remove_if(list.items.begin(), list.items.end(),
                                        [](const Operand& item) {
                                            return item.kind == Operand::Kind::undefined;
                                        }),
                         list.items.end());
        if (!std::all_of(list.items.begin(), list.items.end(), is_fixed)) {
            return list;
        }
        mql::BsonWriter writer(true);
        for (const Operand& item : list.items) {
            writer.append({}, item.literal);
        }
        return literal(std::move(writer).finish().into_array_value());
    }

    static Operand literal(BsonValue value) {
        Operand out;
        if (!value.is_missing()) {
            out.kind = Operand::Kind::literal;
            out.literal = std::move(value);
        }
        return out;
    }

    BsonValue expansion(const Operand& operand) const {
        switch (operand.source) {
        case Source::custom_data:
            return value_at(values_.custom_data.as_value(), operand.path);
        case Source::user:
            return operand.path.empty()
                       ? whole_user()
                       : value_at(values_.facts.user.view().as_value(), operand.path);
        case Source::values:
            return value_at(values_.values.as_value(), operand.path);
        case Source::environment:
            return value_at(values_.environment.as_value(), operand.path);
        case Source::request:
            return value_at(values_.facts.request.view().as_value(), operand.path);
        default:
            return {};
        }
    }

    BsonValue whole_user() const {
        mql::BsonWriter writer;
        for (const BsonElement& element : values_.facts.user.view()) {
            writer.append(element.key, element.value);
        }
        writer.append("custom_data", values_.custom_data.as_value());
        return std::move(writer).finish().into_value();
    }

    const BindingValues& values_;
};

} // namespace

std::string_view operator_name(Operator op) noexcept {
    switch (op) {
    case Operator::eq:
        return "$eq";
    case Operator::ne:
        return "$ne";
    case Operator::gt:
        return "$gt";
    case Operator::gte:
        return "$gte";
    case Operator::lt:
        return "$lt";
    case Operator::lte:
        return "$lte";
    case Operator::in:
        return "$in";
    case Operator::nin:
        return "$nin";
    case Operator::exists:
    case Operator::mongo:
        break;
    }
    return "$exists";
}

std::optional<mql::BsonDocument> query_spec(std::string_view path, Operator op, BsonView value) {
    mql::BsonWriter writer;
    writer.begin_document(path);
    if (op != Operator::in && op != Operator::nin) {
        writer.append(operator_name(op), value);
        return std::move(writer).finish();
    }
    if (!value.is_array()) {
        return std::nullopt;
    }
    writer.begin_array(operator_name(op));
    for (const BsonElement& element : value.as_document()) {
        // As an element of $in a regular expression would be matched, not compared.
        if (element.value.type() != BsonType::regex) {
            writer.append({}, element.value);
        }
    }
    return std::move(writer).finish();
}

BoundNode bind(const Node& node, const BindingValues& values) {
    BoundNode root = Binding(values).run(node);
    compile_queries(root);
    return root;
}

} // namespace detail

Predicate Expression::bind(const BindingValues& values) const {
    if (root_ == nullptr) {
        return Predicate(false);
    }
    auto bound = std::make_shared<detail::Bound>();
    bound->root = detail::bind(*root_, values);
    bound->function = values.facts.function;
    return Predicate(std::shared_ptr<const detail::Bound>(std::move(bound)));
}

Predicate::Predicate(bool constant) {
    static const auto make = [](bool value) {
        auto bound = std::make_shared<detail::Bound>();
        bound->root.value = value;
        return std::shared_ptr<const detail::Bound>(std::move(bound));
    };
    static const std::shared_ptr<const detail::Bound> yes = make(true);
    static const std::shared_ptr<const detail::Bound> no = make(false);
    root_ = constant ? yes : no;
}

std::optional<bool> Predicate::constant() const noexcept {
    if (root_->root.kind != detail::BoundNode::Kind::constant) {
        return std::nullopt;
    }
    return root_->root.value;
}

std::optional<mql::BsonDocument> Predicate::query() const {
    const detail::BoundNode& node = root_->root;
    if (node.kind == detail::BoundNode::Kind::constant) {
        mql::BsonWriter writer;
        if (!node.value) {
            writer.begin_array("$nor");
            writer.begin_document({});
        }
        return std::move(writer).finish();
    }
    if (node.kind == detail::BoundNode::Kind::query && node.source == detail::Source::root) {
        return node.spec;
    }
    return std::nullopt;
}

Result<bool> Predicate::test(const Subject& subject) const {
    return detail::evaluate(root_->root, *root_, subject);
}

} // namespace tombolo::rules
