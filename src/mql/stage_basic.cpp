// Stages that look at one document at a time, and $count and $sample.

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

#include "mql/stage.hpp"

namespace tombolo::mql::detail {

namespace {

/// A stage whose whole effect is a function from the input's next document to its own next
/// document.
template <class StageType>
class FunctionSource : public DocumentSource {
  public:
    FunctionSource(const StageType& stage, SourcePtr input, const Run& run)
        : stage_(&stage), input_(std::move(input)), run_(&run) {}

    Result<std::optional<BsonDocument>> next() override {
        return stage_->next(*input_, *run_, state_);
    }

  private:
    const StageType* stage_;
    SourcePtr input_;
    const Run* run_;
    typename StageType::State state_;
};

struct Nothing {};

class Match : public Stage {
  public:
    using State = Nothing;
    explicit Match(Filter filter) : filter_(std::move(filter)) {}

    SourcePtr open(SourcePtr input, const Run& run) const override {
        return std::make_unique<FunctionSource<Match>>(*this, std::move(input), run);
    }
    const Filter* filter() const noexcept override { return &filter_; }

    Result<std::optional<BsonDocument>> next(DocumentSource& input, const Run& run, State&) const {
        while (true) {
            TOMBOLO_TRY(auto document, input.next());
            if (!document) {
                return document;
            }
            TOMBOLO_TRY(const bool matches, filter_.matches(document->view(), run.evaluation));
            if (matches) {
                return document;
            }
        }
    }

  private:
    Filter filter_;
};

class Limit : public Stage {
  public:
    struct State {
        std::int64_t passed = 0;
    };
    explicit Limit(std::int64_t count) : count_(count) {}

    SourcePtr open(SourcePtr input, const Run& run) const override {
        return std::make_unique<FunctionSource<Limit>>(*this, std::move(input), run);
    }

    Result<std::optional<BsonDocument>> next(DocumentSource& input, const Run&,
                                             State& state) const {
        if (state.passed == count_) {
            return std::optional<BsonDocument>();
        }
        ++state.passed;
        return input.next();
    }

  private:
    std::int64_t count_;
};

class Skip : public Stage {
  public:
    struct State {
        std::int64_t skipped = 0;
    };
    explicit Skip(std::int64_t count) : count_(count) {}

    SourcePtr open(SourcePtr input, const Run& run) const override {
        return std::make_unique<FunctionSource<Skip>>(*this, std::move(input), run);
    }

    Result<std::optional<BsonDocument>> next(DocumentSource& input, const Run&,
                                             State& state) const {
        for (; state.skipped < count_; ++state.skipped) {
            TOMBOLO_TRY(auto document, input.next());
            if (!document) {
                state.skipped = count_;
                return document;
            }
        }
        return input.next();
    }

  private:
    std::int64_t count_;
};

class CountDocuments : public Stage {
  public:
    struct State {
        bool done = false;
    };
    explicit CountDocuments(std::string field) : field_(std::move(field)) {}

    SourcePtr open(SourcePtr input, const Run& run) const override {
        return std::make_unique<FunctionSource<CountDocuments>>(*this, std::move(input), run);
    }

    Result<std::optional<BsonDocument>> next(DocumentSource& input, const Run&,
                                             State& state) const {
        std::int64_t count = 0;
        while (!state.done) {
            TOMBOLO_TRY(const auto document, input.next());
            state.done = !document.has_value();
            count += document ? 1 : 0;
        }
        if (count == 0) {
            return std::optional<BsonDocument>();
        }
        BsonWriter writer;
        if (count <= INT32_MAX) {
            writer.append_int32(field_, static_cast<std::int32_t>(count));
        } else {
            writer.append_int64(field_, count);
        }
        return std::optional(std::move(writer).finish());
    }

  private:
    std::string field_;
};

class ReplaceRoot : public Stage {
  public:
    using State = Nothing;
    explicit ReplaceRoot(Expression root) : root_(std::move(root)) {}

    SourcePtr open(SourcePtr input, const Run& run) const override {
        return std::make_unique<FunctionSource<ReplaceRoot>>(*this, std::move(input), run);
    }

    Result<std::optional<BsonDocument>> next(DocumentSource& input, const Run& run, State&) const {
        TOMBOLO_TRY(auto document, input.next());
        if (!document) {
            return document;
        }
        TOMBOLO_TRY(const BsonValue root, root_.evaluate(document->view(), run.evaluation));
        if (!root.view().is_document()) {
            return Error(
                ErrorCode::mql_failed,
                fmt::format("the new root must be an object, but is {}", type_alias(root.type())));
        }
        return std::optional(BsonDocument(root.view().as_document()));
    }

  private:
    Expression root_;
};

/// Reservoir sampling: holds `size` documents however many come.
class Sample : public Stage {
  public:
    explicit Sample(std::size_t size) : size_(size) {}

    SourcePtr open(SourcePtr input, const Run& run) const override {
        return std::make_unique<Source>(size_, std::move(input), run);
    }

  private:
    class Source : public DocumentSource {
      public:
        Source(std::size_t size, SourcePtr input, const Run& run)
            : size_(size), input_(std::move(input)), run_(&run), memory_(*run.budget) {}

        Result<std::optional<BsonDocument>> next() override {
            if (!drawn_) {
                TOMBOLO_TRY_VOID(draw());
                drawn_ = true;
            }
            if (documents_.empty()) {
                return std::optional<BsonDocument>();
            }
            BsonDocument document = std::move(documents_.back());
            documents_.pop_back();
            return std::optional(std::move(document));
        }

      private:
        Result<std::size_t> random_below(std::size_t bound) const {
            if (run_->evaluation.random == nullptr) {
                return Error(ErrorCode::mql_failed, "$sample is not available here");
            }
            const double number = (*run_->evaluation.random)() * static_cast<double>(bound);
            return std::min(static_cast<std::size_t>(number), bound - 1);
        }

        Result<void> draw() {
            std::size_t seen = 0;
            while (true) {
                TOMBOLO_TRY(auto document, input_->next());
                if (!document) {
                    break;
                }
                ++seen;
                const std::size_t bytes = document->bytes().size() + sizeof(BsonDocument);
                if (documents_.size() < size_) {
                    TOMBOLO_TRY_VOID(memory_.take(bytes));
                    documents_.push_back(*std::move(document));
                    continue;
                }
                TOMBOLO_TRY(const std::size_t place, random_below(seen));
                if (place < size_) {
                    TOMBOLO_TRY_VOID(memory_.take(bytes));
                    memory_.give_back(documents_[place].bytes().size() + sizeof(BsonDocument));
                    documents_[place] = *std::move(document);
                }
            }
            for (std::size_t i = documents_.size(); i > 1; --i) {
                TOMBOLO_TRY(const std::size_t other, random_below(i));
                std::swap(documents_[i - 1], documents_[other]);
            }
            return {};
        }

        std::size_t size_;
        SourcePtr input_;
        const Run* run_;
        MemoryShare memory_;
        std::vector<BsonDocument> documents_;
        bool drawn_ = false;
    };

    std::size_t size_;
};

Result<std::int64_t> whole_number(BsonView spec, std::int64_t least, std::string_view what) {
    std::int64_t number = 0;
    if (!spec.is_number() || !spec.to_int64(number) || number < least) {
        return invalid_stage(fmt::format("{} must be a whole number from {}", what, least));
    }
    return number;
}

} // namespace

Result<StagePtr> compile_match(BsonView spec, const StageContext& context) {
    if (!spec.is_document()) {
        return invalid_stage("$match takes a filter, an object");
    }
    FilterOptions options;
    options.expression = context.options;
    TOMBOLO_TRY(Filter filter, Filter::compile(spec.as_document(), options));
    if (filter.has_near()) {
        return Error(ErrorCode::mql_unsupported,
                     "$near and $nearSphere cannot stand in $match: they order documents; use "
                     "$geoWithin with $centerSphere");
    }
    return StagePtr(std::make_unique<Match>(std::move(filter)));
}

Result<StagePtr> compile_limit(BsonView spec, const StageContext&) {
    TOMBOLO_TRY(const std::int64_t count, whole_number(spec, 1, "the limit"));
    return StagePtr(std::make_unique<Limit>(count));
}

Result<StagePtr> compile_skip(BsonView spec, const StageContext&) {
    TOMBOLO_TRY(const std::int64_t count, whole_number(spec, 0, "the number to skip"));
    return StagePtr(std::make_unique<Skip>(count));
}

Result<StagePtr> compile_count(BsonView spec, const StageContext&) {
    const std::string_view field = spec.is_string() ? spec.as_string() : std::string_view();
    if (field.empty() || field.front() == '$' ||
        field.find_first_of(std::string_view(".\0", 2)) != std::string_view::npos) {
        return invalid_stage("$count takes the name of a field without '$' and '.'");
    }
    return StagePtr(std::make_unique<CountDocuments>(std::string(field)));
}

Result<StagePtr> compile_sample(BsonView spec, const StageContext&) {
    if (!spec.is_document() || spec.as_document().count() != 1) {
        return invalid_stage("$sample takes {size: count}");
    }
    TOMBOLO_TRY(const std::int64_t size,
                whole_number(spec.as_document().find("size"), 1, "the size of $sample"));
    return StagePtr(std::make_unique<Sample>(static_cast<std::size_t>(size)));
}

Result<StagePtr> compile_replace_root(BsonView spec, const StageContext& context) {
    if (!spec.is_document() || spec.as_document().count() != 1 ||
        spec.as_document().find("newRoot").is_missing()) {
        return invalid_stage("$replaceRoot takes {newRoot: expression}");
    }
    return compile_replace_with(spec.as_document().find("newRoot"), context);
}

Result<StagePtr> compile_replace_with(BsonView spec, const StageContext& context) {
    TOMBOLO_TRY(Expression root, Expression::compile(spec, context.options));
    return StagePtr(std::make_unique<ReplaceRoot>(std::move(root)));
}

} // namespace tombolo::mql::detail
