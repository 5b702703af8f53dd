// Filters: the top level, logical operators, and what a field's condition is.

#include <array>
#include <string>

#include "mql/filter.hpp"
#include "mql/filter_node.hpp"

namespace tombolo::mql {

namespace detail {

namespace {

FilterNode group(NodeKind kind) {
    FilterNode node;
    node.kind = kind;
    return node;
}

FilterNode never() {
    return group(NodeKind::never);
}

Place inner_place(Place place, NodeKind kind) noexcept {
    return place == Place::top && kind != NodeKind::all_of ? Place::logical : place;
}

Result<FilterNode> compile_group(std::string_view op, BsonView operand,
                                 const FilterOptions& options, Place place) {
    const std::string name(op);
    if (!operand.is_array()) {
        return Error(ErrorCode::mql_invalid, name + " must be an array");
    }
    FilterNode node = group(op == "$and"  ? NodeKind::all_of
                            : op == "$or" ? NodeKind::any_of
                                          : NodeKind::none_of);
    for (const BsonElement& element : operand.as_document()) {
        if (!element.value.is_document()) {
            return Error(ErrorCode::mql_invalid, "$or/$and/$nor entries need to be full objects",
                         name + "." + std::to_string(node.children.size()));
        }
        auto child =
            compile_conditions(element.value.as_document(), options, inner_place(place, node.kind));
        if (!child) {
            return child.error().within(name + "." + std::to_string(node.children.size()));
        }
        node.children.push_back(*std::move(child));
    }
    if (node.children.empty()) {
        return Error(ErrorCode::mql_invalid, name + " must be a nonempty array");
    }
    return node;
}

Result<FilterNode> compile_expression(BsonView operand, const FilterOptions& options) {
    auto compiled = Expression::compile(operand, options.expression);
    if (!compiled) {
        return compiled.error().within("$expr");
    }
    FilterNode node = group(NodeKind::expression);
    node.expression = *std::move(compiled);
    return node;
}

Result<FilterNode> compile_top_operator(const BsonElement& element, const FilterOptions& options,
                                        Place place) {
    const std::string_view op = element.key;
    if (op == "$and" || op == "$or" || op == "$nor") {
        return compile_group(op, element.value, options, place);
    }
    if (op == "$expr") {
        if (place == Place::element) {
            return Error(ErrorCode::mql_invalid,
                         "$expr can only be applied to the top-level document");
        }
        return compile_expression(element.value, options);
    }
    if (op == "$comment") {
        return group(NodeKind::all_of);
    }
    if (op == "$alwaysTrue") {
        return group(NodeKind::all_of);
    }
    if (op == "$alwaysFalse") {
        return never();
    }
    static constexpr std::array<std::string_view, 4> known{"$jsonSchema", "$text", "$where",
                                                           "$sampleRate"};
    for (const std::string_view name : known) {
        if (op == name) {
            return Error(ErrorCode::mql_unsupported,
                         std::string(op) + " is not supported in a filter");
        }
    }
    return Error(ErrorCode::mql_unsupported, "unknown top level operator: " + std::string(op) +
                                                 "; a field whose name starts with '$' is "
                                                 "compared by $expr with $getField");
}

const FilterNode* find_near(const FilterNode& node) {
    if (node.kind == NodeKind::leaf) {
        const auto* geo = std::get_if<GeoPredicate>(&*node.predicate);
        return geo != nullptr && geo_is_near(*geo) ? &node : nullptr;
    }
    for (const FilterNode& child : node.children) {
        if (const FilterNode* found = find_near(child)) {
            return found;
        }
    }
    return nullptr;
}

std::size_t count_near(const FilterNode& node) {
    std::size_t count = node.children.empty() && find_near(node) != nullptr ? 1 : 0;
    for (const FilterNode& child : node.children) {
        count += count_near(child);
    }
    return count;
}

} // namespace

bool is_operator_document(BsonView value) noexcept {
    if (!value.is_document() || value.as_document().empty()) {
        return false;
    }
    const std::string_view key = value.as_document().begin()->key;
    return key.starts_with('$') && key != "$ref" && key != "$id" && key != "$db";
}

Result<FilterNode> compile_conditions(BsonDocumentView spec, const FilterOptions& options,
                                      Place place) {
    FilterNode node = group(NodeKind::all_of);
    for (const BsonElement& element : spec) {
        if (element.key.starts_with('$')) {
            TOMBOLO_TRY(FilterNode child, compile_top_operator(element, options, place));
            node.children.push_back(std::move(child));
            continue;
        }
        TOMBOLO_TRY(const Path path, Path::parse(element.key));
        auto child = compile_field(path, element.value, options, place);
        if (!child) {
            return child.error().within("field '" + std::string(element.key) + "'");
        }
        node.children.push_back(*std::move(child));
    }
    if (node.children.size() == 1) {
        FilterNode only = std::move(node.children.front());
        return only;
    }
    return node;
}

} // namespace detail

Filter::Filter() : program_(std::make_shared<const detail::FilterProgram>()) {}

Filter::Filter(std::shared_ptr<const detail::FilterProgram> program) noexcept
    : program_(std::move(program)) {}

Result<Filter> Filter::compile(BsonDocumentView spec, const FilterOptions& options) {
    auto program = std::make_shared<detail::FilterProgram>();
    program->spec = BsonDocument(spec);
    TOMBOLO_TRY(program->root,
                detail::compile_conditions(program->spec.view(), options, detail::Place::top));
    if (detail::count_near(program->root) > 1) {
        return Error(ErrorCode::mql_invalid, "a filter has more than one $near or $nearSphere");
    }
    program->near = detail::find_near(program->root);
    return Filter(std::move(program));
}

bool Filter::has_near() const noexcept {
    return program_->near != nullptr;
}

BsonDocumentView Filter::spec() const noexcept {
    return program_->spec.view();
}

} // namespace tombolo::mql
