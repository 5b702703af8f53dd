// $facet: several pipelines over the same documents, their results as arrays of one document.

#include <fmt/format.h>

#include "mql/expression_node.hpp"
#include "mql/stage.hpp"

namespace tombolo::mql::detail {

namespace {

struct FacetPart {
    std::string name;
    std::shared_ptr<const PipelineProgram> pipeline; // as compiled
};

/// Copies documents that outlive it, one at a time.
class CopyingSource : public DocumentSource {
  public:
    explicit CopyingSource(const std::vector<BsonDocument>& documents) : documents_(&documents) {}

    Result<std::optional<BsonDocument>> next() override {
        if (at_ == documents_->size()) {
            return std::optional<BsonDocument>();
        }
        return std::optional((*documents_)[at_++]);
    }

  private:
    const std::vector<BsonDocument>* documents_;
    std::size_t at_ = 0;
};

class Facet : public Stage {
  public:
    explicit Facet(std::vector<FacetPart> parts) : parts_(std::move(parts)) {}

    SourcePtr open(SourcePtr input, const Run& run) const override {
        return std::make_unique<Source>(parts_, std::move(input), run);
    }

  private:
    class Source : public DocumentSource {
      public:
        Source(const std::vector<FacetPart>& parts, SourcePtr input, const Run& run)
            : parts_(&parts), input_(std::move(input)), run_(&run), memory_(*run.budget) {}

        Result<std::optional<BsonDocument>> next() override {
            if (done_) {
                return std::optional<BsonDocument>();
            }
            done_ = true;
            TOMBOLO_TRY(const std::vector<BsonDocument> documents, read_all(*input_, memory_));
            BsonWriter writer;
            for (const FacetPart& part : *parts_) {
                writer.begin_array(part.name);
                if (auto written = write_part(writer, part, documents); !written) {
                    return written.error().within(part.name);
                }
                writer.end();
            }
            BsonDocument result = std::move(writer).finish();
            TOMBOLO_TRY_VOID(check_depth(result.view().as_value()));
            return std::optional(std::move(result));
        }

      private:
        Result<void> write_part(BsonWriter& writer, const FacetPart& part,
                                const std::vector<BsonDocument>& documents) const {
            const SourcePtr results =
                open_stages(*part.pipeline, std::make_unique<CopyingSource>(documents), *run_);
            while (true) {
                TOMBOLO_TRY(const auto document, results->next());
                if (!document) {
                    return {};
                }
                writer.append({}, document->view().as_value());
                TOMBOLO_TRY_VOID(check_document_size(writer.size()));
            }
        }

        const std::vector<FacetPart>* parts_;
        SourcePtr input_;
        const Run* run_;
        MemoryShare memory_;
        bool done_ = false;
    };

    std::vector<FacetPart> parts_;
};

} // namespace

Result<StagePtr> compile_facet(BsonView spec, const StageContext& context) {
    if (!spec.is_document() || spec.as_document().empty()) {
        return invalid_stage("$facet takes an object of pipelines");
    }
    if (context.in_facet) {
        return invalid_stage("$facet cannot stand inside $facet");
    }
    StageContext inner = context;
    inner.in_facet = true;
    std::vector<FacetPart> parts;
    for (const BsonElement& element : spec.as_document()) {
        if (element.key.empty() || element.key.front() == '$' ||
            element.key.find('.') != std::string_view::npos) {
            return invalid_stage(fmt::format("\"{}\" is not a name for a facet", element.key));
        }
        auto pipeline = compile_stages(element.value, inner);
        if (!pipeline) {
            return pipeline.error().within(element.key);
        }
        parts.push_back({std::string(element.key), *std::move(pipeline)});
    }
    return StagePtr(std::make_unique<Facet>(std::move(parts)));
}

} // namespace tombolo::mql::detail
