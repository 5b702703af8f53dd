#include "mql/pipeline.hpp"

#include <unordered_map>

#include <fmt/format.h>

#include "core/limits.hpp"
#include "mql/stage.hpp"

namespace tombolo::mql {

namespace detail {

namespace {

class MemorySource : public DocumentSource {
  public:
    explicit MemorySource(std::vector<BsonDocument> documents) : documents_(std::move(documents)) {}

    Result<std::optional<BsonDocument>> next() override {
        if (at_ == documents_.size()) {
            return std::optional<BsonDocument>();
        }
        return std::optional<BsonDocument>(std::move(documents_[at_++]));
    }

  private:
    std::vector<BsonDocument> documents_;
    std::size_t at_ = 0;
};

/// Puts the stage's name in front of the errors that come from it.
class NamedSource : public DocumentSource {
  public:
    NamedSource(SourcePtr source, std::string_view name)
        : source_(std::move(source)), name_(name) {}

    Result<std::optional<BsonDocument>> next() override {
        auto result = source_->next();
        if (!result && !result.error().context().starts_with("[")) {
            return result.error().within(name_);
        }
        return result;
    }

  private:
    SourcePtr source_;
    std::string_view name_;
};

/// A run together with what its sources borrow.
class TopSource : public DocumentSource {
  public:
    TopSource(std::shared_ptr<const PipelineProgram> program, const PipelineInput& input)
        : program_(std::move(program)),
          budget_(input.memory_bytes_max), run_{input.evaluation, input.foreign, &budget_} {}

    void start(SourcePtr source) { source_ = open_stages(*program_, std::move(source), run_); }

    Result<std::optional<BsonDocument>> next() override { return source_->next(); }

  private:
    std::shared_ptr<const PipelineProgram> program_; // may outlive the Pipeline it was run from
    MemoryBudget budget_;
    Run run_;
    SourcePtr source_; // last: goes first
};

class Sequence : public Stage {
  public:
    explicit Sequence(std::vector<StagePtr> stages) : stages_(std::move(stages)) {}

    SourcePtr open(SourcePtr input, const Run& run) const override {
        for (const StagePtr& stage : stages_) {
            input = stage->open(std::move(input), run);
        }
        return input;
    }

  private:
    std::vector<StagePtr> stages_;
};

StageCompiler find_stage(std::string_view name) {
    static const std::unordered_map<std::string_view, StageCompiler> table = {
        {"$match", compile_match},
        {"$project", compile_project},
        {"$addFields", compile_add_fields},
        {"$set", compile_add_fields},
        {"$unset", compile_unset},
        {"$group", compile_group},
        {"$sort", compile_sort},
        {"$limit", compile_limit},
        {"$skip", compile_skip},
        {"$count", compile_count},
        {"$unwind", compile_unwind},
        {"$lookup", compile_lookup},
        {"$facet", compile_facet},
        {"$replaceRoot", compile_replace_root},
        {"$replaceWith", compile_replace_with},
        {"$sample", compile_sample},
        {"$sortByCount", compile_sort_by_count},
        {"$bucket", compile_bucket},
        {"$unionWith", compile_union_with},
    };
    const auto found = table.find(name);
    return found == table.end() ? nullptr : found->second;
}

Result<PipelineProgram::NamedStage> compile_stage(BsonView spec, std::size_t position,
                                                  const StageContext& context) {
    if (!spec.is_document() || spec.as_document().count() != 1) {
        return Error(ErrorCode::mql_invalid, "a stage must be an object with one field, its name",
                     fmt::format("[{}]", position));
    }
    const auto element = spec.as_document().begin();
    std::string name = fmt::format("[{}].{}", position, element->key);
    const StageCompiler compiler = find_stage(element->key);
    if (compiler == nullptr) {
        return Error(ErrorCode::mql_unsupported,
                     fmt::format("\"{}\" is not a pipeline stage known here", element->key),
                     fmt::format("[{}]", position));
    }
    auto stage = compiler(element->value, context);
    if (!stage) {
        return stage.error().within(name);
    }
    return PipelineProgram::NamedStage{*std::move(stage), std::move(name)};
}

} // namespace

Result<void> MemoryBudget::take(std::size_t bytes) {
    if (bytes > bytes_max_ - used_) {
        return Error(
            ErrorCode::limit_exceeded,
            fmt::format("the pipeline needs more than its {} bytes of memory", bytes_max_));
    }
    used_ += bytes;
    return {};
}

Result<void> MemoryShare::take(std::size_t bytes) {
    TOMBOLO_TRY_VOID(budget_->take(bytes));
    held_ += bytes;
    return {};
}

void MemoryShare::give_back(std::size_t bytes) noexcept {
    budget_->give_back(bytes);
    held_ -= bytes;
}

Result<std::shared_ptr<const PipelineProgram>> compile_stages(BsonView stages,
                                                              const StageContext& context) {
    if (!stages.is_array()) {
        return invalid_stage("a pipeline must be an array of stages");
    }
    if (context.depth > pipeline_depth_max) {
        return Error(ErrorCode::limit_exceeded,
                     fmt::format("pipelines are nested deeper than {} levels", pipeline_depth_max));
    }
    auto program = std::make_shared<PipelineProgram>();
    StageContext inner = context;
    ++inner.depth;
    std::size_t position = 0;
    for (const BsonElement& element : stages.as_document()) {
        if (position == stages_max) {
            return Error(ErrorCode::limit_exceeded,
                         fmt::format("a pipeline has more than {} stages", stages_max));
        }
        TOMBOLO_TRY(auto stage, compile_stage(element.value, position, inner));
        std::int64_t limit = 0;
        if (position > 0 && stage.name.ends_with(".$limit") &&
            element.value.as_document().begin()->value.to_int64(limit)) {
            program->stages.back().stage->set_limit(static_cast<std::size_t>(limit));
        }
        program->stages.push_back(std::move(stage));
        ++position;
    }
    return std::shared_ptr<const PipelineProgram>(std::move(program));
}

SourcePtr open_stages(const PipelineProgram& program, SourcePtr source, const Run& run) {
    for (const PipelineProgram::NamedStage& stage : program.stages) {
        source =
            std::make_unique<NamedSource>(stage.stage->open(std::move(source), run), stage.name);
    }
    return source;
}

Result<std::vector<BsonDocument>> read_all(DocumentSource& source, MemoryShare& memory) {
    std::vector<BsonDocument> documents;
    while (true) {
        TOMBOLO_TRY(auto document, source.next());
        if (!document) {
            return documents;
        }
        TOMBOLO_TRY_VOID(memory.take(document->bytes().size() + sizeof(BsonDocument)));
        documents.push_back(*std::move(document));
    }
}

StagePtr make_sequence(std::vector<StagePtr> stages) {
    return std::make_unique<Sequence>(std::move(stages));
}

Error invalid_stage(std::string message) {
    return Error(ErrorCode::mql_invalid, std::move(message));
}

Result<void> check_document_size(std::size_t bytes) {
    if (bytes > limits::document_bytes_max) {
        return Error(ErrorCode::limit_exceeded,
                     fmt::format("a result is larger than {} bytes", limits::document_bytes_max));
    }
    return {};
}

Result<std::vector<std::string>> split_field_path(std::string_view text) {
    std::vector<std::string> parts;
    std::size_t start = 0;
    while (true) {
        const std::size_t end = std::min(text.find('.', start), text.size());
        const std::string_view part = text.substr(start, end - start);
        if (part.empty() || part.front() == '$' || part.find('\0') != std::string_view::npos ||
            parts.size() == limits::document_depth_max) {
            return invalid_stage(
                fmt::format("\"{}\" is not a valid field path", text.substr(0, 100)));
        }
        parts.emplace_back(part);
        if (end == text.size()) {
            return parts;
        }
        start = end + 1;
    }
}

namespace {

void write_with_field(BsonWriter& writer, BsonDocumentView document,
                      const std::vector<std::string>& path, std::size_t at, BsonView value) {
    bool found = false;
    const bool last = at + 1 == path.size();
    const auto write = [&](BsonView current) {
        if (last) {
            writer.append(path[at], value);
        } else if (current.is_document() || !value.is_missing()) {
            writer.begin_document(path[at]);
            write_with_field(writer,
                             current.is_document() ? current.as_document() : BsonDocumentView(),
                             path, at + 1, value);
            writer.end();
        } else {
            writer.append(path[at], current);
        }
    };
    for (const BsonElement& element : document) {
        if (element.key != path[at]) {
            writer.append(element.key, element.value);
        } else if (!found) {
            found = true;
            write(element.value);
        }
    }
    if (!found && !value.is_missing()) {
        write({});
    }
}

} // namespace

BsonDocument with_field(BsonDocumentView document, const std::vector<std::string>& path,
                        BsonView value) {
    BsonWriter writer;
    write_with_field(writer, document, path, 0, value);
    return std::move(writer).finish();
}

} // namespace detail

std::unique_ptr<DocumentSource> make_source(std::vector<BsonDocument> documents) {
    return std::make_unique<detail::MemorySource>(std::move(documents));
}

Result<Pipeline> Pipeline::compile(BsonView stages, const ExpressionOptions& options) {
    detail::StageContext context;
    context.options = options;
    TOMBOLO_TRY(auto program, detail::compile_stages(stages, context));
    return Pipeline(std::move(program));
}

Result<std::unique_ptr<DocumentSource>> Pipeline::run(std::unique_ptr<DocumentSource> source,
                                                      const PipelineInput& input) const {
    auto top = std::make_unique<detail::TopSource>(program_, input);
    top->start(std::move(source));
    return std::unique_ptr<DocumentSource>(std::move(top));
}

Result<std::vector<BsonDocument>> Pipeline::run_all(std::unique_ptr<DocumentSource> source,
                                                    const PipelineInput& input) const {
    TOMBOLO_TRY(const auto results, run(std::move(source), input));
    std::vector<BsonDocument> documents;
    while (true) {
        TOMBOLO_TRY(auto document, results->next());
        if (!document) {
            return documents;
        }
        documents.push_back(*std::move(document));
    }
}

const Filter* Pipeline::leading_match() const noexcept {
    return program_->stages.empty() ? nullptr : program_->stages.front().stage->filter();
}

} // namespace tombolo::mql
