// $lookup and $unionWith: stages that read other collections.
//
// A foreign collection is read once a run, when the first document needs it, and held; documents
// joined by equality are found through a hash table of the values their foreign field leads to.

#include <algorithm>
#include <set>
#include <unordered_map>

#include <fmt/format.h>

#include "mql/bson_compare.hpp"
#include "mql/expression_node.hpp"
#include "mql/path.hpp"
#include "mql/stage.hpp"

namespace tombolo::mql::detail {

namespace {

struct LookupSpec {
    std::string from;
    std::vector<std::string> as;
    std::optional<Path> local;
    std::optional<Path> foreign;
    std::vector<std::pair<std::string, Expression>> variables; ///< let
    std::shared_ptr<const PipelineProgram>
        pipeline; ///< null when there is none; shared with nobody, type as compiled
};

/// Borrows documents that outlive it.
class BorrowingSource : public DocumentSource {
  public:
    explicit BorrowingSource(std::vector<const BsonDocument*> documents)
        : documents_(std::move(documents)) {}

    Result<std::optional<BsonDocument>> next() override {
        if (at_ == documents_.size()) {
            return std::optional<BsonDocument>();
        }
        return std::optional(*documents_[at_++]);
    }

  private:
    std::vector<const BsonDocument*> documents_;
    std::size_t at_ = 0;
};

struct KeyHash {
    std::size_t operator()(BsonView value) const noexcept { return hash_value(value); }
};
struct KeyEqual {
    bool operator()(BsonView left, BsonView right) const noexcept { return equal(left, right); }
};

Result<SourcePtr> open_collection(const Run& run, const std::string& name) {
    if (run.foreign == nullptr) {
        return Error(ErrorCode::mql_unsupported, "other collections cannot be read here");
    }
    auto source = run.foreign->open(name);
    if (!source) {
        return source.error().within(name);
    }
    return source;
}

/// What a path leads to, for joining: elements of arrays and null for what is missing.
std::vector<BsonView> join_values(BsonDocumentView document, const Path& path) {
    std::vector<BsonView> values;
    visit_path(document.as_value(), path, LeafArrays::expand, [&](BsonView value, std::int32_t) {
        values.push_back(value.is_nullish() ? BsonView::null() : value);
        return false;
    });
    if (values.empty()) {
        values.push_back(BsonView::null());
    }
    return values;
}

class Lookup : public Stage {
  public:
    explicit Lookup(LookupSpec spec) : spec_(std::move(spec)) {}

    SourcePtr open(SourcePtr input, const Run& run) const override {
        return std::make_unique<Source>(spec_, std::move(input), run);
    }

  private:
    class Source : public DocumentSource {
      public:
        Source(const LookupSpec& spec, SourcePtr input, const Run& run)
            : spec_(&spec), input_(std::move(input)), run_(&run), memory_(*run.budget) {}

        Result<std::optional<BsonDocument>> next() override {
            TOMBOLO_TRY(const auto document, input_->next());
            if (!document) {
                return std::optional<BsonDocument>();
            }
            if (!loaded_) {
                TOMBOLO_TRY_VOID(load());
                loaded_ = true;
            }
            BsonWriter joined(true);
            TOMBOLO_TRY_VOID(join(document->view(), joined));
            const BsonValue array = std::move(joined).finish().into_array_value();
            TOMBOLO_TRY_VOID(check_depth(array.view()));
            BsonDocument result = with_field(document->view(), spec_->as, array.view());
            TOMBOLO_TRY_VOID(check_document_size(result.bytes().size()));
            return std::optional(std::move(result));
        }

      private:
        Result<void> load() {
            TOMBOLO_TRY(const SourcePtr source, open_collection(*run_, spec_->from));
            TOMBOLO_TRY(documents_, read_all(*source, memory_));
            if (!spec_->foreign) {
                return {};
            }
            for (std::size_t i = 0; i < documents_.size(); ++i) {
                for (const BsonView value : join_values(documents_[i].view(), *spec_->foreign)) {
                    TOMBOLO_TRY_VOID(memory_.take(64));
                    std::vector<std::size_t>& places = places_[value];
                    if (places.empty() || places.back() != i) {
                        places.push_back(i);
                    }
                }
            }
            return {};
        }

        /// The foreign documents that equality selects, in their order; all without it.
        std::vector<const BsonDocument*> candidates(BsonDocumentView document) const {
            std::set<std::size_t> selected;
            std::vector<const BsonDocument*> result;
            if (!spec_->foreign) {
                for (const BsonDocument& foreign : documents_) {
                    result.push_back(&foreign);
                }
                return result;
            }
            for (const BsonView value : join_values(document, *spec_->local)) {
                if (const auto found = places_.find(value); found != places_.end()) {
                    selected.insert(found->second.begin(), found->second.end());
                }
            }
            for (const std::size_t place : selected) {
                result.push_back(&documents_[place]);
            }
            return result;
        }

        Result<void> join(BsonDocumentView document, BsonWriter& joined) const {
            std::vector<const BsonDocument*> found = candidates(document);
            if (!spec_->pipeline) {
                for (const BsonDocument* const foreign : found) {
                    joined.append({}, foreign->view().as_value());
                    TOMBOLO_TRY_VOID(check_document_size(joined.size()));
                }
                return {};
            }
            std::vector<BsonValue> values;
            values.reserve(spec_->variables.size());
            for (const auto& [name, expression] : spec_->variables) {
                TOMBOLO_TRY(BsonValue value, expression.evaluate(document, run_->evaluation));
                values.push_back(std::move(value));
            }
            std::vector<BsonView> variables(run_->evaluation.variables.begin(),
                                            run_->evaluation.variables.end());
            variables.insert(variables.end(), values.begin(), values.end());
            Run inner = *run_;
            inner.evaluation.variables = variables;
            const SourcePtr results = open_stages(
                *spec_->pipeline, std::make_unique<BorrowingSource>(std::move(found)), inner);
            while (true) {
                auto result = results->next();
                if (!result) {
                    return result.error().within("pipeline");
                }
                if (!*result) {
                    return {};
                }
                joined.append({}, (*result)->view().as_value());
                TOMBOLO_TRY_VOID(check_document_size(joined.size()));
            }
        }

        const LookupSpec* spec_;
        SourcePtr input_;
        const Run* run_;
        MemoryShare memory_;
        std::vector<BsonDocument> documents_;
        std::unordered_map<BsonView, std::vector<std::size_t>, KeyHash, KeyEqual> places_;
        bool loaded_ = false;
    };

    LookupSpec spec_;
};

Result<void> read_let(BsonView spec, const StageContext& context, LookupSpec& out) {
    if (!spec.is_document()) {
        return invalid_stage("the let of $lookup must be an object");
    }
    for (const BsonElement& element : spec.as_document()) {
        TOMBOLO_TRY_VOID(check_variable_name(element.key, "let"));
        auto expression = Expression::compile(element.value, context.options);
        if (!expression) {
            return expression.error().within("let");
        }
        out.variables.emplace_back(element.key, *std::move(expression));
    }
    return {};
}

Result<void> read_lookup_field(const BsonElement& element, const StageContext& context,
                               LookupSpec& out) {
    if (element.key == "let") {
        return read_let(element.value, context, out);
    }
    if (!element.value.is_string()) {
        return invalid_stage(
            fmt::format("\"{}\" is not an argument of $lookup of that type", element.key));
    }
    const std::string_view text = element.value.as_string();
    if (element.key == "from") {
        out.from = text;
    } else if (element.key == "as") {
        TOMBOLO_TRY(out.as, split_field_path(text));
    } else if (element.key == "localField") {
        TOMBOLO_TRY(out.local, Path::parse(text));
    } else if (element.key == "foreignField") {
        TOMBOLO_TRY(out.foreign, Path::parse(text));
    } else {
        return invalid_stage(
            fmt::format("\"{}\" is not an argument of $lookup of that type", element.key));
    }
    return {};
}

class UnionWith : public Stage {
  public:
    UnionWith(std::string collection, std::shared_ptr<const PipelineProgram> pipeline)
        : collection_(std::move(collection)), pipeline_(std::move(pipeline)) {}

    SourcePtr open(SourcePtr input, const Run& run) const override {
        return std::make_unique<Source>(*this, std::move(input), run);
    }

  private:
    class Source : public DocumentSource {
      public:
        Source(const UnionWith& stage, SourcePtr input, const Run& run)
            : stage_(&stage), input_(std::move(input)), run_(&run) {}

        Result<std::optional<BsonDocument>> next() override {
            if (input_) {
                TOMBOLO_TRY(auto document, input_->next());
                if (document) {
                    return document;
                }
                input_.reset();
                TOMBOLO_TRY(SourcePtr other, open_collection(*run_, stage_->collection_));
                other_ = stage_->pipeline_
                             ? open_stages(*stage_->pipeline_, std::move(other), *run_)
                             : std::move(other);
            }
            auto document = other_->next();
            return document ? document : document.error().within("pipeline");
        }

      private:
        const UnionWith* stage_;
        SourcePtr input_;
        SourcePtr other_;
        const Run* run_;
    };

    std::string collection_;
    std::shared_ptr<const PipelineProgram> pipeline_; // as compiled
};

} // namespace

Result<StagePtr> compile_lookup(BsonView spec, const StageContext& context) {
    if (!spec.is_document()) {
        return invalid_stage("$lookup takes an object");
    }
    LookupSpec lookup;
    BsonView pipeline;
    for (const BsonElement& element : spec.as_document()) {
        if (element.key == "pipeline") {
            pipeline = element.value;
        } else {
            TOMBOLO_TRY_VOID(read_lookup_field(element, context, lookup));
        }
    }
    if (lookup.from.empty() || lookup.as.empty()) {
        return invalid_stage("$lookup needs from and as");
    }
    if (lookup.local.has_value() != lookup.foreign.has_value() ||
        (!lookup.local && pipeline.is_missing())) {
        return invalid_stage("$lookup needs localField and foreignField, or a pipeline, or both");
    }
    if (!pipeline.is_missing()) {
        StageContext inner = context;
        for (const auto& [name, expression] : lookup.variables) {
            inner.options.variables.push_back(name);
        }
        auto program = compile_stages(pipeline, inner);
        if (!program) {
            return program.error().within("pipeline");
        }
        lookup.pipeline = *std::move(program);
    } else if (!lookup.variables.empty()) {
        return invalid_stage("the let of $lookup needs a pipeline");
    }
    return StagePtr(std::make_unique<Lookup>(std::move(lookup)));
}

Result<StagePtr> compile_union_with(BsonView spec, const StageContext& context) {
    BsonView collection = spec;
    std::shared_ptr<const PipelineProgram> program;
    if (spec.is_document()) {
        collection = spec.as_document().find("coll");
        const BsonView pipeline = spec.as_document().find("pipeline");
        if (spec.as_document().count() != (pipeline.is_missing() ? 1U : 2U)) {
            return invalid_stage("$unionWith takes {coll, pipeline}");
        }
        if (!pipeline.is_missing()) {
            TOMBOLO_TRY(program, compile_stages(pipeline, context));
        }
    }
    if (!collection.is_string() || collection.as_string().empty()) {
        return invalid_stage("$unionWith needs the name of a collection");
    }
    return StagePtr(
        std::make_unique<UnionWith>(std::string(collection.as_string()), std::move(program)));
}

} // namespace tombolo::mql::detail
