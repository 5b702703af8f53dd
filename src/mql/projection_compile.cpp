// Projections: compiling.

#include <algorithm>
#include <string>

#include "mql/filter_node.hpp"
#include "mql/path.hpp"
#include "mql/projection.hpp"
#include "mql/projection_node.hpp"

namespace tombolo::mql {

namespace detail {

namespace {

Error invalid(std::string message) {
    return Error(ErrorCode::mql_invalid, std::move(message));
}

class Compiler {
  public:
    Compiler(ProjectionProgram& program, const ExpressionOptions& options)
        : program_(program), options_(options) {}

    Result<void> run() {
        TOMBOLO_TRY_VOID(document(program_.spec.view(), {}));
        TOMBOLO_TRY_VOID(choose_mode());
        mark_computed(program_.root);
        return {};
    }

  private:
    struct Leaf {
        std::string path;
        ProjectionKind kind;
    };

    Result<void> document(BsonDocumentView spec, const std::string& prefix) {
        for (const BsonElement& element : spec) {
            std::string path =
                prefix.empty() ? std::string(element.key) : prefix + "." + std::string(element.key);
            auto result = field(path, element.value);
            if (!result) {
                return result.error().within("projection '" + path + "'");
            }
        }
        return {};
    }

    Result<void> field(std::string path, BsonView value) {
        ProjectionNode leaf;
        if (value.type() == BsonType::boolean || value.is_number()) {
            leaf.kind = value.truthy() ? ProjectionKind::include : ProjectionKind::exclude;
            if (path.ends_with(".$")) {
                return positional(std::move(path), std::move(leaf));
            }
            return add(path, std::move(leaf));
        }
        if (value.is_document() && !is_operator_document(value)) {
            if (value.as_document().empty()) {
                return invalid("An empty sub-projection is not a valid value. Found empty object "
                               "at path");
            }
            return document(value.as_document(), path);
        }
        if (value.is_document()) {
            const BsonElement first = *value.as_document().begin();
            if (first.key == "$slice" && !is_slice_expression(first.value)) {
                TOMBOLO_TRY_VOID(slice(leaf, value.as_document()));
                return add(path, std::move(leaf));
            }
            if (first.key == "$elemMatch") {
                TOMBOLO_TRY_VOID(elem_match(leaf, path, value));
                return add(path, std::move(leaf));
            }
            if (first.key == "$meta") {
                return Error(ErrorCode::mql_unsupported, "$meta is not supported in a projection");
            }
        }
        TOMBOLO_TRY(leaf.expression, Expression::compile(value, options_));
        leaf.kind = ProjectionKind::compute;
        return add(path, std::move(leaf));
    }

    // {$slice: [array, n]} of aggregation has an expression where find's has a number.
    static bool is_slice_expression(BsonView operand) noexcept {
        return operand.is_array() && !operand.as_document().empty() &&
               !operand.as_document().at(0).is_number();
    }

    static Result<std::int64_t> whole(BsonView value) {
        std::int64_t out = 0;
        if (!value.is_number()) {
            return invalid("Invalid $slice syntax: expected a number, found " +
                           std::string(type_alias(value.type())));
        }
        if (!value.to_int64(out)) {
            out = static_cast<std::int64_t>(
                std::clamp(value.to_double(), -2147483648.0, 2147483647.0));
        }
        return out;
    }

    Result<void> slice(ProjectionNode& leaf, BsonDocumentView spec) {
        leaf.kind = ProjectionKind::slice;
        if (spec.count() != 1) {
            return invalid("$slice stands alone in its object");
        }
        const BsonView operand = spec.begin()->value;
        if (!operand.is_array()) {
            TOMBOLO_TRY(leaf.count, whole(operand));
            return {};
        }
        if (operand.as_document().count() != 2) {
            return invalid("$slice takes a number or [skip, limit]");
        }
        TOMBOLO_TRY(leaf.skip, whole(operand.as_document().at(0)));
        TOMBOLO_TRY(leaf.count, whole(operand.as_document().at(1)));
        if (leaf.count <= 0) {
            return invalid("$slice limit must be positive");
        }
        return {};
    }

    Result<void> elem_match(ProjectionNode& leaf, std::string_view path, BsonView value) {
        leaf.kind = ProjectionKind::elem_match;
        if (path.find('.') != std::string_view::npos) {
            return invalid("Cannot use $elemMatch projection on a nested field");
        }
        BsonWriter writer;
        writer.append("", value);
        TOMBOLO_TRY(leaf.filter, Filter::compile(std::move(writer).finish()));
        return {};
    }

    Result<void> positional(std::string path, ProjectionNode leaf) {
        path.resize(path.size() - 2);
        if (leaf.kind == ProjectionKind::exclude) {
            return invalid("positional projection cannot be used with exclusion");
        }
        if (std::exchange(program_.positional, true)) {
            return invalid("Cannot specify more than one positional projection per query.");
        }
        leaf.kind = ProjectionKind::positional;
        return add(path, std::move(leaf));
    }

    Result<void> add(const std::string& path, ProjectionNode leaf) {
        TOMBOLO_TRY(const Path parsed, Path::parse(path));
        ProjectionNode* node = &program_.root;
        const std::vector<PathComponent>& components = parsed.components();
        for (std::size_t i = 0; i < components.size(); ++i) {
            const std::string& name = components[i].name;
            if (name.empty() || name.starts_with('$')) {
                return invalid(name.empty() ? "FieldPath field names may not be empty strings."
                                            : "FieldPath field names may not start with '$'.");
            }
            ProjectionNode* child = nullptr;
            for (ProjectionNode& candidate : node->children) {
                child = candidate.name == name ? &candidate : child;
            }
            const bool last = i + 1 == components.size();
            if (child != nullptr && (last || child->kind != ProjectionKind::descend)) {
                return invalid("Path collision at " + path);
            }
            if (child == nullptr) {
                child = &node->children.emplace_back();
                child->name = name;
            }
            node = child;
        }
        leaves_.push_back({path, leaf.kind});
        leaf.name = std::move(node->name);
        *node = std::move(leaf);
        return {};
    }

    // The first plain inclusion or exclusion decides; without one, what only makes sense in an
    // inclusion.
    Result<void> choose_mode() {
        std::optional<bool> inclusion;
        bool selects = false;
        for (const Leaf& leaf : leaves_) {
            const bool plain =
                leaf.kind == ProjectionKind::include || leaf.kind == ProjectionKind::exclude;
            selects = selects || leaf.kind == ProjectionKind::elem_match ||
                      leaf.kind == ProjectionKind::compute ||
                      leaf.kind == ProjectionKind::positional;
            if (!plain || leaf.path == "_id") {
                continue;
            }
            const bool includes = leaf.kind == ProjectionKind::include;
            if (inclusion && *inclusion != includes) {
                return includes ? invalid("Cannot do inclusion on field " + leaf.path +
                                          " in exclusion projection")
                                : invalid("Cannot do exclusion on field " + leaf.path +
                                          " in inclusion projection");
            }
            inclusion = includes;
        }
        const bool only_id = leaves_.size() == 1 && leaves_[0].path == "_id" &&
                             leaves_[0].kind == ProjectionKind::include;
        program_.inclusion = inclusion.value_or(selects || only_id);
        for (const Leaf& leaf : leaves_) {
            if (!program_.inclusion && leaf.kind == ProjectionKind::compute) {
                return invalid("Cannot use expression other than $slice and $elemMatch in "
                               "exclusion projection: field " +
                               leaf.path);
            }
            if (!program_.inclusion && leaf.kind == ProjectionKind::positional) {
                return invalid("positional projection cannot be used with exclusion");
            }
        }
        return {};
    }

    static bool mark_computed(ProjectionNode& node) {
        node.computes = node.kind == ProjectionKind::compute;
        for (ProjectionNode& child : node.children) {
            node.computes = mark_computed(child) || node.computes;
        }
        return node.computes;
    }

    ProjectionProgram& program_;
    const ExpressionOptions& options_;
    std::vector<Leaf> leaves_;
};

} // namespace

} // namespace detail

Projection::Projection() : program_(std::make_shared<const detail::ProjectionProgram>()) {}

Projection::Projection(std::shared_ptr<const detail::ProjectionProgram> program) noexcept
    : program_(std::move(program)) {}

Result<Projection> Projection::compile(BsonDocumentView spec, const ExpressionOptions& options) {
    auto program = std::make_shared<detail::ProjectionProgram>();
    program->spec = BsonDocument(spec);
    TOMBOLO_TRY_VOID(detail::Compiler(*program, options).run());
    return Projection(std::move(program));
}

bool Projection::is_positional() const noexcept {
    return program_->positional;
}

} // namespace tombolo::mql
