// $unwind: one document for each element of an array.

#include <fmt/format.h>

#include "mql/stage.hpp"

namespace tombolo::mql::detail {

namespace {

class Unwind : public Stage {
  public:
    Unwind(std::vector<std::string> path, std::vector<std::string> index_path, bool preserve)
        : path_(std::move(path)), index_path_(std::move(index_path)), preserve_(preserve) {}

    SourcePtr open(SourcePtr input, const Run&) const override {
        return std::make_unique<Source>(*this, std::move(input));
    }

  private:
    class Source : public DocumentSource {
      public:
        Source(const Unwind& stage, SourcePtr input) : stage_(&stage), input_(std::move(input)) {}

        Result<std::optional<BsonDocument>> next() override {
            while (true) {
                if (elements_ != end_) {
                    const BsonView element = elements_->value;
                    BsonDocument result = with_field(document_.view(), stage_->path_, element);
                    ++elements_;
                    return with_index(std::move(result), index_++);
                }
                TOMBOLO_TRY(auto document, input_->next());
                if (!document) {
                    return document;
                }
                document_ = *std::move(document);
                const BsonView value = find(document_.view());
                if (value.is_array() && !value.as_document().empty()) {
                    elements_ = value.as_document().begin();
                    end_ = value.as_document().end();
                    index_ = 0;
                    continue;
                }
                if (value.is_array() || value.is_nullish()) {
                    if (!stage_->preserve_) {
                        continue;
                    }
                    // An empty array leaves no field behind; null and missing stay as they are.
                    return with_index(value.is_array()
                                          ? with_field(document_.view(), stage_->path_, {})
                                          : document_,
                                      {});
                }
                return with_index(document_, {});
            }
        }

      private:
        BsonView find(BsonDocumentView document) const {
            BsonView value = document.as_value();
            for (const std::string& part : stage_->path_) {
                if (!value.is_document()) {
                    return {};
                }
                value = value.as_document().find(part);
            }
            return value;
        }

        std::optional<BsonDocument> with_index(BsonDocument document,
                                               std::optional<std::int64_t> index) const {
            if (stage_->index_path_.empty()) {
                return document;
            }
            const BsonValue number = index ? BsonValue::from_int64(*index) : BsonValue::from_null();
            return with_field(document.view(), stage_->index_path_, number.view());
        }

        const Unwind* stage_;
        SourcePtr input_;
        BsonDocument document_;
        BsonDocumentView::Iterator elements_;
        BsonDocumentView::Iterator end_;
        std::int64_t index_ = 0;
    };

    std::vector<std::string> path_;
    std::vector<std::string> index_path_;
    bool preserve_;
};

} // namespace

Result<StagePtr> compile_unwind(BsonView spec, const StageContext&) {
    BsonView path = spec;
    std::vector<std::string> index_path;
    bool preserve = false;
    if (spec.is_document()) {
        path = spec.as_document().find("path");
        for (const BsonElement& element : spec.as_document()) {
            if (element.key == "includeArrayIndex" && element.value.is_string()) {
                TOMBOLO_TRY(index_path, split_field_path(element.value.as_string()));
            } else if (element.key == "preserveNullAndEmptyArrays" &&
                       element.value.type() == BsonType::boolean) {
                preserve = element.value.as_bool();
            } else if (element.key != "path") {
                return invalid_stage(
                    fmt::format("\"{}\" is not an argument of $unwind of that type", element.key));
            }
        }
    }
    if (!path.is_string() || !path.as_string().starts_with('$')) {
        return invalid_stage("the path of $unwind must be a string that begins with '$'");
    }
    TOMBOLO_TRY(auto parts, split_field_path(path.as_string().substr(1)));
    return StagePtr(std::make_unique<Unwind>(std::move(parts), std::move(index_path), preserve));
}

} // namespace tombolo::mql::detail
