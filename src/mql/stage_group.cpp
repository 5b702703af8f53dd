// $group, $sortByCount and $bucket. Groups come out in the order in which their first documents
// came in.

#include <algorithm>
#include <deque>
#include <unordered_map>

#include <fmt/format.h>

#include "mql/accumulator.hpp"
#include "mql/bson_compare.hpp"
#include "mql/expression_node.hpp"
#include "mql/stage.hpp"

namespace tombolo::mql::detail {

namespace {

struct Output {
    std::string name;
    AccumulatorSpec accumulator;
};

struct KeyHash {
    std::size_t operator()(BsonView value) const noexcept { return hash_value(value); }
};
struct KeyEqual {
    bool operator()(BsonView left, BsonView right) const noexcept { return equal(left, right); }
};

class Group : public Stage {
  public:
    Group(Expression key, std::vector<Output> outputs)
        : key_(std::move(key)), outputs_(std::move(outputs)) {}

    SourcePtr open(SourcePtr input, const Run& run) const override {
        return std::make_unique<Source>(*this, std::move(input), run);
    }

  private:
    struct Entry {
        BsonValue key;
        std::vector<std::unique_ptr<Accumulator>> accumulators;
        std::size_t bytes = 0;
    };

    class Source : public DocumentSource {
      public:
        Source(const Group& stage, SourcePtr input, const Run& run)
            : stage_(&stage), input_(std::move(input)), run_(&run), memory_(*run.budget) {}

        Result<std::optional<BsonDocument>> next() override {
            if (!read_) {
                TOMBOLO_TRY_VOID(read());
                read_ = true;
            }
            if (at_ == entries_.size()) {
                return std::optional<BsonDocument>();
            }
            const Entry& entry = entries_[at_++];
            BsonWriter writer;
            writer.append("_id", entry.key.view());
            for (std::size_t i = 0; i < entry.accumulators.size(); ++i) {
                const BsonValue value = entry.accumulators[i]->result();
                TOMBOLO_TRY_VOID(check_depth(value.view()));
                writer.append(stage_->outputs_[i].name, value.view());
            }
            TOMBOLO_TRY_VOID(check_document_size(writer.size()));
            return std::optional(std::move(writer).finish());
        }

      private:
        Result<void> read() {
            while (true) {
                TOMBOLO_TRY(const auto document, input_->next());
                if (!document) {
                    return {};
                }
                TOMBOLO_TRY(BsonValue key,
                            stage_->key_.evaluate(document->view(), run_->evaluation));
                TOMBOLO_TRY(Entry* const entry, find(std::move(key)));
                TOMBOLO_TRY_VOID(accumulate(*entry, document->view()));
            }
        }

        Result<Entry*> find(BsonValue key) {
            if (key.view().is_nullish()) {
                key = BsonValue::from_null();
            }
            const auto found = places_.find(key.view());
            if (found != places_.end()) {
                return &entries_[found->second];
            }
            Entry entry;
            entry.bytes = key.view().bytes().size() + 128;
            entry.key = std::move(key);
            for (const Output& output : stage_->outputs_) {
                entry.accumulators.push_back(output.accumulator.make());
                entry.bytes += entry.accumulators.back()->bytes();
            }
            TOMBOLO_TRY_VOID(memory_.take(entry.bytes));
            entries_.push_back(std::move(entry));
            places_.emplace(entries_.back().key.view(), entries_.size() - 1);
            return &entries_.back();
        }

        Result<void> accumulate(Entry& entry, BsonDocumentView document) {
            for (std::size_t i = 0; i < entry.accumulators.size(); ++i) {
                Accumulator& accumulator = *entry.accumulators[i];
                const Output& output = stage_->outputs_[i];
                auto value = output.accumulator.operand(document, run_->evaluation);
                if (!value) {
                    return value.error().within(output.name);
                }
                const std::size_t before = accumulator.bytes();
                if (auto added = accumulator.add(value->view(), document); !added) {
                    return added.error().within(output.name);
                }
                const std::size_t after = accumulator.bytes();
                if (after > before) {
                    TOMBOLO_TRY_VOID(memory_.take(after - before));
                } else {
                    memory_.give_back(before - after);
                }
            }
            return {};
        }

        const Group* stage_;
        SourcePtr input_;
        const Run* run_;
        MemoryShare memory_;
        std::deque<Entry> entries_; // stable addresses: places_ points at their keys
        std::unordered_map<BsonView, std::size_t, KeyHash, KeyEqual> places_;
        std::size_t at_ = 0;
        bool read_ = false;
    };

    Expression key_;
    std::vector<Output> outputs_;
};

Result<Output> compile_output(const BsonElement& element, const StageContext& context) {
    if (element.key.empty() || element.key.front() == '$' ||
        element.key.find('.') != std::string_view::npos) {
        return invalid_stage(
            fmt::format("\"{}\" is not a name that a computed field can have", element.key));
    }
    auto accumulator = AccumulatorSpec::compile(element.value, context.options);
    if (!accumulator) {
        return accumulator.error().within(element.key);
    }
    return Output{std::string(element.key), *std::move(accumulator)};
}

/// {$sum: 1}, the count of a group.
BsonDocument counter() {
    BsonWriter writer;
    writer.append_int32("$sum", 1);
    return std::move(writer).finish();
}

Result<StagePtr> sort_by(std::string_view field, std::int32_t direction,
                         const StageContext& context) {
    BsonWriter writer;
    writer.append_int32(field, direction);
    const BsonDocument spec = std::move(writer).finish();
    return compile_sort(spec.view().as_value(), context);
}

struct Buckets {
    BsonView group_by;
    std::vector<BsonView> boundaries;
    BsonView otherwise;
    BsonView output;
};

Result<Buckets> read_buckets(BsonView spec) {
    Buckets buckets;
    if (!spec.is_document()) {
        return invalid_stage("$bucket takes {groupBy, boundaries, default, output}");
    }
    for (const BsonElement& element : spec.as_document()) {
        if (element.key == "groupBy") {
            buckets.group_by = element.value;
        } else if (element.key == "boundaries" && element.value.is_array()) {
            for (const BsonElement& boundary : element.value.as_document()) {
                buckets.boundaries.push_back(boundary.value);
            }
        } else if (element.key == "default") {
            buckets.otherwise = element.value;
        } else if (element.key == "output" && element.value.is_document()) {
            buckets.output = element.value;
        } else {
            return invalid_stage(
                fmt::format("\"{}\" is not an argument of $bucket of that type", element.key));
        }
    }
    const auto& boundaries = buckets.boundaries;
    if (buckets.group_by.is_missing() || boundaries.size() < 2) {
        return invalid_stage("$bucket needs groupBy and at least two boundaries");
    }
    for (std::size_t i = 1; i < boundaries.size(); ++i) {
        if (canonical_type(boundaries[i - 1].type()) != canonical_type(boundaries[i].type()) ||
            compare(boundaries[i - 1], boundaries[i]) >= 0) {
            return invalid_stage("the boundaries of $bucket must ascend and be of one type");
        }
    }
    if (!buckets.otherwise.is_missing() && compare(buckets.otherwise, boundaries.front()) >= 0 &&
        compare(buckets.otherwise, boundaries.back()) < 0) {
        return invalid_stage("the default of $bucket must lie outside the boundaries");
    }
    return buckets;
}

void append_literal(BsonWriter& writer, std::string_view key, BsonView value) {
    writer.begin_document(key);
    writer.append("$literal", value);
    writer.end();
}

/// The $switch that names a value's bucket.
BsonDocument bucket_key(const Buckets& buckets) {
    BsonWriter writer;
    writer.begin_document("$switch");
    writer.begin_array("branches");
    for (std::size_t i = 1; i < buckets.boundaries.size(); ++i) {
        writer.begin_document({});
        writer.begin_document("case");
        writer.begin_array("$and");
        for (const bool lower : {true, false}) {
            writer.begin_document({});
            writer.begin_array(lower ? "$gte" : "$lt");
            writer.append({}, buckets.group_by);
            append_literal(writer, {}, buckets.boundaries[lower ? i - 1 : i]);
            writer.end();
            writer.end();
        }
        writer.end();
        writer.end();
        append_literal(writer, "then", buckets.boundaries[i - 1]);
        writer.end();
    }
    writer.end();
    if (!buckets.otherwise.is_missing()) {
        append_literal(writer, "default", buckets.otherwise);
    }
    return std::move(writer).finish();
}

} // namespace

Result<StagePtr> compile_group(BsonView spec, const StageContext& context) {
    if (!spec.is_document() || spec.as_document().find("_id").is_missing()) {
        return invalid_stage("$group takes an object with _id and computed fields");
    }
    std::optional<Expression> key;
    std::vector<Output> outputs;
    for (const BsonElement& element : spec.as_document()) {
        if (element.key == "_id") {
            auto compiled = Expression::compile(element.value, context.options);
            if (!compiled) {
                return compiled.error().within("_id");
            }
            key = *std::move(compiled);
        } else {
            TOMBOLO_TRY(Output output, compile_output(element, context));
            outputs.push_back(std::move(output));
        }
    }
    return StagePtr(std::make_unique<Group>(*std::move(key), std::move(outputs)));
}

Result<StagePtr> compile_sort_by_count(BsonView spec, const StageContext& context) {
    const bool is_path = spec.is_string() && spec.as_string().starts_with('$');
    const bool is_operator = spec.is_document() && !spec.as_document().empty() &&
                             spec.as_document().begin()->key.starts_with('$');
    if (!is_path && !is_operator) {
        return invalid_stage("$sortByCount takes a field path or an expression");
    }
    TOMBOLO_TRY(Expression key, Expression::compile(spec, context.options));
    const BsonDocument sum = counter();
    TOMBOLO_TRY(AccumulatorSpec count, AccumulatorSpec::compile(sum.view().as_value()));
    std::vector<Output> outputs;
    outputs.push_back({"count", std::move(count)});
    std::vector<StagePtr> stages;
    stages.push_back(std::make_unique<Group>(std::move(key), std::move(outputs)));
    TOMBOLO_TRY(StagePtr sort, sort_by("count", -1, context));
    stages.push_back(std::move(sort));
    return make_sequence(std::move(stages));
}

Result<StagePtr> compile_bucket(BsonView spec, const StageContext& context) {
    TOMBOLO_TRY(const Buckets buckets, read_buckets(spec));
    const BsonDocument key_spec = bucket_key(buckets);
    TOMBOLO_TRY(Expression key, Expression::compile(key_spec.view().as_value(), context.options));
    std::vector<Output> outputs;
    if (buckets.output.is_missing()) {
        const BsonDocument sum = counter();
        TOMBOLO_TRY(AccumulatorSpec count, AccumulatorSpec::compile(sum.view().as_value()));
        outputs.push_back({"count", std::move(count)});
    } else {
        for (const BsonElement& element : buckets.output.as_document()) {
            TOMBOLO_TRY(Output output, compile_output(element, context));
            outputs.push_back(std::move(output));
        }
    }
    std::vector<StagePtr> stages;
    stages.push_back(std::make_unique<Group>(std::move(key), std::move(outputs)));
    TOMBOLO_TRY(StagePtr sort, sort_by("_id", 1, context));
    stages.push_back(std::move(sort));
    return make_sequence(std::move(stages));
}

} // namespace tombolo::mql::detail
