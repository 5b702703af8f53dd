// $project, $addFields ($set) and $unset: a tree of fields to include, exclude or compute, applied
// to each document.
//
// The tree walks into documents, and into every element of arrays. Computed fields see the document
// as it came.

#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "core/limits.hpp"
#include "mql/stage.hpp"

namespace tombolo::mql::detail {

namespace {

enum class FieldAction : std::uint8_t { include, exclude, compute, descend };

struct FieldTree;

struct Field {
    std::string name;
    FieldAction action = FieldAction::include;
    std::optional<Expression> expression; ///< compute
    std::unique_ptr<FieldTree> child;     ///< descend
};

struct FieldTree {
    std::vector<Field> fields; ///< in the order of the spec
    bool computes = false;     ///< here or below

    const Field* find(std::string_view name) const noexcept {
        const auto found = std::find_if(fields.begin(), fields.end(),
                                        [&](const Field& field) { return field.name == name; });
        return found == fields.end() ? nullptr : &*found;
    }
};

enum class Mode : std::uint8_t { inclusion, exclusion, add };

/// Applies a tree to one document.
class Projector {
  public:
    Projector(Mode mode, BsonDocumentView root, const EvaluationInput& input)
        : mode_(mode), root_(root), input_(&input) {}

    Result<void> write(BsonWriter& writer, BsonDocumentView document, const FieldTree& tree) {
        for (const BsonElement& element : document) {
            const Field* const field = tree.find(element.key);
            if (field == nullptr) {
                if (mode_ != Mode::inclusion) {
                    writer.append(element.key, element.value);
                }
            } else {
                TOMBOLO_TRY_VOID(write_existing(writer, element, *field));
            }
        }
        if (tree.computes) {
            TOMBOLO_TRY_VOID(write_new(writer, document, tree));
        }
        return check_document_size(writer.size());
    }

  private:
    Result<void> write_existing(BsonWriter& writer, const BsonElement& element,
                                const Field& field) {
        switch (field.action) {
        case FieldAction::include:
            writer.append(element.key, element.value);
            return {};
        case FieldAction::exclude:
            return {};
        case FieldAction::compute:
            // $addFields replaces in place; $project appends in the order of its spec.
            return mode_ == Mode::add ? write_computed(writer, field) : Result<void>();
        case FieldAction::descend:
            break;
        }
        return write_below(writer, element.key, element.value, *field.child);
    }

    Result<void> write_computed(BsonWriter& writer, const Field& field) {
        const auto value = field.expression->evaluate(root_, *input_);
        if (!value) {
            return value.error().within(field.name);
        }
        writer.append(field.name, value->view());
        return {};
    }

    Result<void> write_below(BsonWriter& writer, std::string_view key, BsonView value,
                             const FieldTree& tree) {
        if (value.is_document()) {
            writer.begin_document(key);
            TOMBOLO_TRY_VOID(write(writer, value.as_document(), tree));
            writer.end();
        } else if (value.is_array()) {
            writer.begin_array(key);
            for (const BsonElement& element : value.as_document()) {
                TOMBOLO_TRY_VOID(write_below(writer, {}, element.value, tree));
            }
            writer.end();
        } else if (tree.computes) {
            // A scalar gives way to the computed fields below it.
            writer.begin_document(key);
            TOMBOLO_TRY_VOID(write(writer, {}, tree));
            writer.end();
        } else if (mode_ == Mode::exclusion) {
            writer.append(key, value);
        }
        return {};
    }

    Result<void> write_new(BsonWriter& writer, BsonDocumentView document, const FieldTree& tree) {
        for (const Field& field : tree.fields) {
            const bool exists = !document.find(field.name).is_missing();
            if (field.action == FieldAction::compute && (mode_ != Mode::add || !exists)) {
                TOMBOLO_TRY_VOID(write_computed(writer, field));
            } else if (field.action == FieldAction::descend && field.child->computes && !exists) {
                writer.begin_document(field.name);
                TOMBOLO_TRY_VOID(write(writer, {}, *field.child));
                writer.end();
            }
        }
        return {};
    }

    Mode mode_;
    BsonDocumentView root_;
    const EvaluationInput* input_;
};

class Project : public Stage {
  public:
    Project(Mode mode, FieldTree tree) : mode_(mode), tree_(std::move(tree)) {}

    SourcePtr open(SourcePtr input, const Run& run) const override {
        return std::make_unique<Source>(*this, std::move(input), run);
    }

  private:
    class Source : public DocumentSource {
      public:
        Source(const Project& stage, SourcePtr input, const Run& run)
            : stage_(&stage), input_(std::move(input)), run_(&run) {}

        Result<std::optional<BsonDocument>> next() override {
            TOMBOLO_TRY(auto document, input_->next());
            if (!document) {
                return document;
            }
            Projector projector(stage_->mode_, document->view(), run_->evaluation);
            BsonWriter writer;
            TOMBOLO_TRY_VOID(projector.write(writer, document->view(), stage_->tree_));
            return std::optional(std::move(writer).finish());
        }

      private:
        const Project* stage_;
        SourcePtr input_;
        const Run* run_;
    };

    Mode mode_;
    FieldTree tree_;
};

/// Builds the tree from a spec, dotted and nested names alike.
class TreeBuilder {
  public:
    TreeBuilder(bool add, const StageContext& context) : add_(add), context_(&context) {}

    Result<void> add_document(BsonDocumentView spec, std::vector<std::string>& path) {
        if (spec.empty()) {
            return invalid_stage("an empty object does not say what to do with a field");
        }
        for (const BsonElement& element : spec) {
            const std::size_t length = path.size();
            TOMBOLO_TRY(const auto parts, split_field_path(element.key));
            path.insert(path.end(), parts.begin(), parts.end());
            if (path.size() > limits::document_depth_max) {
                return invalid_stage("the fields are nested too deep");
            }
            TOMBOLO_TRY_VOID(add_field(element.value, path));
            path.resize(length);
        }
        return {};
    }

    Result<void> add_exclusion(std::string_view dotted) {
        TOMBOLO_TRY(auto path, split_field_path(dotted));
        return insert(path, FieldAction::exclude, {});
    }

    /// An inclusion unless something other than _id is excluded.
    Result<Mode> mode() const {
        if (add_) {
            return Mode::add;
        }
        if (includes_ && excludes_) {
            return invalid_stage("fields cannot be included and excluded by one projection; only "
                                 "_id may be excluded beside included ones");
        }
        return excludes_ || (excludes_id_ && !includes_) ? Mode::exclusion : Mode::inclusion;
    }

    /// Adds _id to an inclusion that does not speak of it.
    FieldTree take(Mode mode) {
        if (mode == Mode::inclusion && tree_.find("_id") == nullptr) {
            Field field;
            field.name = "_id";
            tree_.fields.insert(tree_.fields.begin(), std::move(field));
        }
        return std::move(tree_);
    }

  private:
    Result<void> add_field(BsonView value, std::vector<std::string>& path) {
        if (!add_ && (value.is_number() || value.type() == BsonType::boolean)) {
            return insert(path, value.truthy() ? FieldAction::include : FieldAction::exclude, {});
        }
        if (value.is_document()) {
            const auto first = value.as_document().begin();
            const bool is_operator =
                first != value.as_document().end() && first->key.starts_with('$');
            if (!is_operator && !(add_ && value.as_document().empty())) {
                return add_document(value.as_document(), path);
            }
        }
        std::string name;
        for (const std::string& part : path) {
            name += (name.empty() ? "" : ".") + part;
        }
        auto expression = Expression::compile(value, context_->options);
        if (!expression) {
            return expression.error().within(name);
        }
        return insert(path, FieldAction::compute, *std::move(expression));
    }

    Result<void> insert(const std::vector<std::string>& path, FieldAction action,
                        std::optional<Expression> expression) {
        if (path.size() == 1 && path[0] == "_id" && action == FieldAction::exclude) {
            excludes_id_ = true;
        } else if (!(path.size() == 1 && path[0] == "_id" && action == FieldAction::include)) {
            (action == FieldAction::exclude ? excludes_ : includes_) = true;
        } else {
            includes_ = true;
        }
        FieldTree* tree = &tree_;
        for (std::size_t i = 0; i + 1 < path.size(); ++i) {
            tree->computes = tree->computes || action == FieldAction::compute;
            auto found = std::find_if(tree->fields.begin(), tree->fields.end(),
                                      [&](const Field& field) { return field.name == path[i]; });
            if (found == tree->fields.end()) {
                Field field;
                field.name = path[i];
                field.action = FieldAction::descend;
                field.child = std::make_unique<FieldTree>();
                tree->fields.push_back(std::move(field));
                found = tree->fields.end() - 1;
            }
            if (found->action != FieldAction::descend) {
                return collision(path);
            }
            tree = found->child.get();
        }
        if (tree->find(path.back()) != nullptr) {
            return collision(path);
        }
        tree->computes = tree->computes || action == FieldAction::compute;
        Field field;
        field.name = path.back();
        field.action = action;
        field.expression = std::move(expression);
        tree->fields.push_back(std::move(field));
        return {};
    }

    static Error collision(const std::vector<std::string>& path) {
        std::string name;
        for (const std::string& part : path) {
            name += (name.empty() ? "" : ".") + part;
        }
        return invalid_stage(
            fmt::format("field \"{}\" is named twice, or both itself and a field inside it", name));
    }

    bool add_;
    const StageContext* context_;
    FieldTree tree_;
    bool includes_ = false;
    bool excludes_ = false;
    bool excludes_id_ = false;
};

Result<StagePtr> build(TreeBuilder& builder) {
    TOMBOLO_TRY(const Mode mode, builder.mode());
    return StagePtr(std::make_unique<Project>(mode, builder.take(mode)));
}

Result<StagePtr> compile_fields(BsonView spec, const StageContext& context, bool add) {
    if (!spec.is_document()) {
        return invalid_stage("the stage takes an object of fields");
    }
    TreeBuilder builder(add, context);
    std::vector<std::string> path;
    TOMBOLO_TRY_VOID(builder.add_document(spec.as_document(), path));
    return build(builder);
}

} // namespace

Result<StagePtr> compile_project(BsonView spec, const StageContext& context) {
    return compile_fields(spec, context, false);
}

Result<StagePtr> compile_add_fields(BsonView spec, const StageContext& context) {
    return compile_fields(spec, context, true);
}

Result<StagePtr> compile_unset(BsonView spec, const StageContext& context) {
    TreeBuilder builder(false, context);
    if (spec.is_string()) {
        TOMBOLO_TRY_VOID(builder.add_exclusion(spec.as_string()));
        return build(builder);
    }
    if (!spec.is_array() || spec.as_document().empty()) {
        return invalid_stage("$unset takes a field or an array of fields");
    }
    for (const BsonElement& element : spec.as_document()) {
        if (!element.value.is_string()) {
            return invalid_stage("the fields of $unset must be strings");
        }
        TOMBOLO_TRY_VOID(builder.add_exclusion(element.value.as_string()));
    }
    return build(builder);
}

} // namespace tombolo::mql::detail
