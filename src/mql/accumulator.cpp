#include "mql/accumulator.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <unordered_set>
#include <vector>

#include <fmt/format.h>

#include "mql/bson_compare.hpp"
#include "mql/expression_node.hpp"
#include "mql/expression_number.hpp"
#include "mql/expression_object.hpp"

namespace tombolo::mql {

namespace {

class Sum : public Accumulator {
  public:
    Result<void> add(BsonView value, BsonDocumentView) override {
        if (value.is_number()) {
            sum_.add(value);
        }
        return {};
    }
    BsonValue result() const override { return sum_.result(); }

  private:
    detail::NumberSum sum_{true};
};

class Average : public Accumulator {
  public:
    Result<void> add(BsonView value, BsonDocumentView) override {
        if (value.is_number()) {
            sum_.add(value);
            ++count_;
        }
        return {};
    }
    BsonValue result() const override {
        if (count_ == 0) {
            return BsonValue::from_null();
        }
        if (sum_.kind() == detail::NumberKind::decimal) {
            return BsonValue::from_decimal(
                divide(sum_.as_decimal(), Decimal128::from_int64(count_)));
        }
        return BsonValue::from_double(sum_.as_double() / static_cast<double>(count_));
    }

  private:
    detail::NumberSum sum_{true};
    std::int64_t count_ = 0;
};

/// $min and $max: null and missing do not count.
class Extreme : public Accumulator {
  public:
    explicit Extreme(bool largest) : largest_(largest) {}

    Result<void> add(BsonView value, BsonDocumentView) override {
        if (value.is_nullish()) {
            return {};
        }
        const int order = best_.is_missing() ? 0 : compare(value, best_.view());
        if (best_.is_missing() || (largest_ ? order > 0 : order < 0)) {
            best_ = BsonValue(value);
        }
        return {};
    }
    BsonValue result() const override {
        return best_.is_missing() ? BsonValue::from_null() : best_;
    }
    std::size_t bytes() const noexcept override { return 64 + best_.view().bytes().size(); }

  private:
    bool largest_;
    BsonValue best_;
};

class Edge : public Accumulator {
  public:
    explicit Edge(bool last) : last_(last) {}

    Result<void> add(BsonView value, BsonDocumentView) override {
        if (last_ || !seen_) {
            value_ = value.is_missing() ? BsonValue::from_null() : BsonValue(value);
            seen_ = true;
        }
        return {};
    }
    BsonValue result() const override { return seen_ ? value_ : BsonValue::from_null(); }
    std::size_t bytes() const noexcept override { return 64 + value_.view().bytes().size(); }

  private:
    bool last_;
    bool seen_ = false;
    BsonValue value_;
};

class Push : public Accumulator {
  public:
    Result<void> add(BsonView value, BsonDocumentView) override {
        if (!value.is_missing()) {
            values_.append({}, value);
        }
        return {};
    }
    BsonValue result() const override {
        BsonWriter copy = values_;
        return std::move(copy).finish().into_array_value();
    }
    std::size_t bytes() const noexcept override { return 64 + values_.size(); }

  private:
    BsonWriter values_{true};
};

class AddToSet : public Accumulator {
  public:
    Result<void> add(BsonView value, BsonDocumentView) override {
        if (value.is_missing() || seen_.count(value) != 0) {
            return {};
        }
        values_.emplace_back(value);
        seen_.insert(values_.back().view());
        bytes_ += value.bytes().size() + 96;
        return {};
    }
    BsonValue result() const override {
        BsonWriter writer(true);
        for (const BsonValue& value : values_) {
            writer.append({}, value);
        }
        return std::move(writer).finish().into_array_value();
    }
    std::size_t bytes() const noexcept override { return bytes_; }

  private:
    struct Hash {
        std::size_t operator()(BsonView value) const noexcept { return hash_value(value); }
    };
    struct Equal {
        bool operator()(BsonView left, BsonView right) const noexcept { return equal(left, right); }
    };
    std::deque<BsonValue> values_; // stable addresses: seen_ points into them
    std::unordered_set<BsonView, Hash, Equal> seen_;
    std::size_t bytes_ = 64;
};

class Count : public Accumulator {
  public:
    Result<void> add(BsonView, BsonDocumentView) override {
        ++count_;
        return {};
    }
    BsonValue result() const override {
        const auto narrow = static_cast<std::int32_t>(count_);
        return narrow == count_ ? BsonValue::from_int32(narrow) : BsonValue::from_int64(count_);
    }

  private:
    std::int64_t count_ = 0;
};

class MergeObjects : public Accumulator {
  public:
    Result<void> add(BsonView value, BsonDocumentView) override {
        if (value.is_nullish()) {
            return {};
        }
        if (!value.is_document()) {
            return Error(ErrorCode::mql_failed, fmt::format("$mergeObjects takes objects, not {}",
                                                            type_alias(value.type())));
        }
        merger_.merge(value.as_document());
        bytes_ += value.bytes().size();
        return {};
    }
    BsonValue result() const override { return merger_.document().into_value(); }
    std::size_t bytes() const noexcept override { return bytes_; }

  private:
    detail::ObjectMerger merger_;
    std::size_t bytes_ = 64;
};

/// Welford's running variance.
class Deviation : public Accumulator {
  public:
    explicit Deviation(bool sample) : sample_(sample) {}

    Result<void> add(BsonView value, BsonDocumentView) override {
        if (value.is_number()) {
            const double number = value.to_double();
            ++count_;
            const double delta = number - mean_;
            mean_ += delta / static_cast<double>(count_);
            squares_ += delta * (number - mean_);
        }
        return {};
    }
    BsonValue result() const override {
        const std::int64_t divisor = count_ - (sample_ ? 1 : 0);
        if (divisor <= 0) {
            return BsonValue::from_null();
        }
        return BsonValue::from_double(std::sqrt(squares_ / static_cast<double>(divisor)));
    }

  private:
    bool sample_;
    std::int64_t count_ = 0;
    double mean_ = 0;
    double squares_ = 0;
};

/// $firstN and $lastN: nulls count, missing values are null.
class EdgeN : public Accumulator {
  public:
    EdgeN(bool last, std::int64_t count) : last_(last), count_(static_cast<std::size_t>(count)) {}

    Result<void> add(BsonView value, BsonDocumentView) override {
        if (!last_ && values_.size() == count_) {
            return {};
        }
        values_.push_back(value.is_missing() ? BsonValue::from_null() : BsonValue(value));
        bytes_ += value.bytes().size() + 64;
        if (values_.size() > count_) {
            bytes_ -= values_.front().view().bytes().size() + 64;
            values_.pop_front();
        }
        return {};
    }
    BsonValue result() const override {
        BsonWriter writer(true);
        for (const BsonValue& value : values_) {
            writer.append({}, value);
        }
        return std::move(writer).finish().into_array_value();
    }
    std::size_t bytes() const noexcept override { return bytes_; }

  private:
    bool last_;
    std::size_t count_;
    std::deque<BsonValue> values_;
    std::size_t bytes_ = 64;
};

/// $minN, $maxN, $top, $bottom, $topN, $bottomN: the n best in an order, kept sorted. Equal ones
/// keep their order of arrival.
class Ranking : public Accumulator {
  public:
    Ranking(AccumulatorKind kind, std::int64_t count, std::shared_ptr<const SortKey> order)
        : kind_(kind), count_(static_cast<std::size_t>(count)), order_(std::move(order)) {}

    Result<void> add(BsonView value, BsonDocumentView document) override {
        if (!order_ && value.is_nullish()) {
            return {};
        }
        Entry entry{value.is_missing() ? BsonValue::from_null() : BsonValue(value), {}};
        for (const BsonView part :
             order_ ? order_->key_of(document.as_value()) : std::vector<BsonView>()) {
            entry.key.emplace_back(part);
        }
        const bool from_bottom =
            kind_ == AccumulatorKind::bottom || kind_ == AccumulatorKind::bottom_n;
        const auto place = std::upper_bound(
            entries_.begin(), entries_.end(), entry,
            [this](const Entry& left, const Entry& right) { return rank(left, right) < 0; });
        entries_.insert(place, std::move(entry));
        if (entries_.size() > count_) {
            entries_.erase(from_bottom ? entries_.begin() : entries_.end() - 1);
        }
        return {};
    }
    BsonValue result() const override {
        if (kind_ == AccumulatorKind::top || kind_ == AccumulatorKind::bottom) {
            return entries_.empty() ? BsonValue::from_null() : entries_.front().value;
        }
        BsonWriter writer(true);
        for (const Entry& entry : entries_) {
            writer.append({}, entry.value);
        }
        return std::move(writer).finish().into_array_value();
    }
    std::size_t bytes() const noexcept override {
        // All values are about as large as the first.
        const std::size_t one = entries_.empty() ? 0 : entries_.front().value.view().bytes().size();
        return 64 + entries_.size() * (one + 160);
    }

  private:
    struct Entry {
        BsonValue value;
        std::vector<BsonValue> key;
    };

    int rank(const Entry& left, const Entry& right) const {
        if (!order_) {
            const int order = compare(left.value.view(), right.value.view());
            return kind_ == AccumulatorKind::max_n ? -order : order;
        }
        const std::vector<BsonView> left_key(left.key.begin(), left.key.end());
        const std::vector<BsonView> right_key(right.key.begin(), right.key.end());
        return order_->compare_keys(left_key, right_key);
    }

    AccumulatorKind kind_;
    std::size_t count_;
    std::shared_ptr<const SortKey> order_;
    std::vector<Entry> entries_;
};

constexpr std::array<std::pair<std::string_view, AccumulatorKind>, 20> names = {{
    {"$sum", AccumulatorKind::sum},
    {"$avg", AccumulatorKind::avg},
    {"$min", AccumulatorKind::min},
    {"$max", AccumulatorKind::max},
    {"$first", AccumulatorKind::first},
    {"$last", AccumulatorKind::last},
    {"$push", AccumulatorKind::push},
    {"$addToSet", AccumulatorKind::add_to_set},
    {"$count", AccumulatorKind::count},
    {"$mergeObjects", AccumulatorKind::merge_objects},
    {"$stdDevPop", AccumulatorKind::std_dev_pop},
    {"$stdDevSamp", AccumulatorKind::std_dev_samp},
    {"$firstN", AccumulatorKind::first_n},
    {"$lastN", AccumulatorKind::last_n},
    {"$minN", AccumulatorKind::min_n},
    {"$maxN", AccumulatorKind::max_n},
    {"$top", AccumulatorKind::top},
    {"$bottom", AccumulatorKind::bottom},
    {"$topN", AccumulatorKind::top_n},
    {"$bottomN", AccumulatorKind::bottom_n},
}};

/// An operator over its operands, or over the elements of the array that is its only operand.
template <AccumulatorKind kind>
Result<BsonView> summarize(const detail::Arguments& arguments) {
    const auto accumulator = make_accumulator(kind);
    for (const BsonView value : arguments.values) {
        if (value.is_array() && arguments.size() == 1) {
            for (const BsonElement& element : value.as_document()) {
                TOMBOLO_TRY_VOID(accumulator->add(element.value, {}));
            }
        } else {
            TOMBOLO_TRY_VOID(accumulator->add(value, {}));
        }
    }
    return arguments.evaluation.scratch().keep(accumulator->result());
}

constexpr std::array summaries = std::to_array<detail::PositionalOperator>({
    {"$sum", 0, detail::any_count, summarize<AccumulatorKind::sum>},
    {"$avg", 0, detail::any_count, summarize<AccumulatorKind::avg>},
    {"$min", 0, detail::any_count, summarize<AccumulatorKind::min>},
    {"$max", 0, detail::any_count, summarize<AccumulatorKind::max>},
    {"$stdDevPop", 0, detail::any_count, summarize<AccumulatorKind::std_dev_pop>},
    {"$stdDevSamp", 0, detail::any_count, summarize<AccumulatorKind::std_dev_samp>},
});

} // namespace

std::span<const detail::PositionalOperator> detail::summary_operators() noexcept {
    return summaries;
}

std::unique_ptr<Accumulator> make_accumulator(AccumulatorKind kind) {
    switch (kind) {
    case AccumulatorKind::avg:
        return std::make_unique<Average>();
    case AccumulatorKind::min:
    case AccumulatorKind::max:
        return std::make_unique<Extreme>(kind == AccumulatorKind::max);
    case AccumulatorKind::first:
    case AccumulatorKind::last:
        return std::make_unique<Edge>(kind == AccumulatorKind::last);
    case AccumulatorKind::push:
        return std::make_unique<Push>();
    case AccumulatorKind::add_to_set:
        return std::make_unique<AddToSet>();
    case AccumulatorKind::count:
        return std::make_unique<Count>();
    case AccumulatorKind::merge_objects:
        return std::make_unique<MergeObjects>();
    case AccumulatorKind::std_dev_pop:
    case AccumulatorKind::std_dev_samp:
        return std::make_unique<Deviation>(kind == AccumulatorKind::std_dev_samp);
    default:
        return std::make_unique<Sum>();
    }
}

Result<AccumulatorSpec> AccumulatorSpec::compile(BsonView spec, const ExpressionOptions& options) {
    if (!spec.is_document() || spec.as_document().count() != 1) {
        return Error(ErrorCode::mql_invalid,
                     "a computed field must be an object with one accumulator, such as {$sum: 1}");
    }
    const auto element = spec.as_document().begin();
    return compile(element->key, element->value, options);
}

Result<AccumulatorSpec> AccumulatorSpec::compile(std::string_view name, BsonView argument,
                                                 const ExpressionOptions& options) {
    const auto* const found = std::find_if(names.begin(), names.end(),
                                           [&](const auto& entry) { return entry.first == name; });
    if (found == names.end()) {
        return Error(ErrorCode::mql_unsupported,
                     fmt::format("\"{}\" is not an accumulator known here", name));
    }
    AccumulatorSpec spec;
    spec.kind_ = found->second;
    if (spec.kind_ >= AccumulatorKind::first_n) {
        if (auto done = spec.compile_counted(argument, options); !done) {
            return done.error().within(name);
        }
        return spec;
    }
    if (spec.kind_ == AccumulatorKind::count &&
        (!argument.is_document() || !argument.as_document().empty())) {
        return Error(ErrorCode::mql_invalid, "$count takes an empty object: {$count: {}}");
    }
    if (argument.is_array() && argument.as_document().count() == 1) {
        argument = argument.as_document().at(0);
    } else if (argument.is_array()) {
        return Error(ErrorCode::mql_invalid,
                     fmt::format("{} takes one operand here, not an array", name));
    }
    auto operand = Expression::compile(argument, options);
    if (!operand) {
        return operand.error().within(name);
    }
    spec.operand_ = *std::move(operand);
    return spec;
}

Result<void> AccumulatorSpec::compile_counted(BsonView argument, const ExpressionOptions& options) {
    const bool ordered = kind_ >= AccumulatorKind::top;
    const bool counted = kind_ != AccumulatorKind::top && kind_ != AccumulatorKind::bottom;
    const std::string_view operand_name = ordered ? "output" : "input";
    if (!argument.is_document()) {
        return Error(ErrorCode::mql_invalid, "the arguments must stand in an object");
    }
    for (const BsonElement& element : argument.as_document()) {
        if (element.key == operand_name) {
            TOMBOLO_TRY(operand_, Expression::compile(element.value, options));
        } else if (ordered && element.key == "sortBy") {
            TOMBOLO_TRY(SortKey order, SortKey::compile(element.value));
            order_ = std::make_shared<const SortKey>(std::move(order));
        } else if (counted && element.key == "n") {
            TOMBOLO_TRY(const Expression count, Expression::compile(element.value, options));
            TOMBOLO_TRY(const BsonValue value, count.evaluate({}, {}));
            if (!value.view().is_number() || !value.view().to_int64(count_) || count_ < 1) {
                return Error(ErrorCode::mql_invalid, "n must be a constant whole number from 1");
            }
        } else {
            return Error(ErrorCode::mql_invalid,
                         fmt::format("\"{}\" is not an argument here", element.key));
        }
    }
    if (!operand_ || (ordered && !order_) ||
        (counted && argument.as_document().find("n").is_missing())) {
        return Error(ErrorCode::mql_invalid,
                     ordered ? "sortBy, output and n are needed" : "n and input are needed");
    }
    return {};
}

std::unique_ptr<Accumulator> AccumulatorSpec::make() const {
    switch (kind_) {
    case AccumulatorKind::first_n:
    case AccumulatorKind::last_n:
        return std::make_unique<EdgeN>(kind_ == AccumulatorKind::last_n, count_);
    case AccumulatorKind::min_n:
    case AccumulatorKind::max_n:
    case AccumulatorKind::top:
    case AccumulatorKind::bottom:
    case AccumulatorKind::top_n:
    case AccumulatorKind::bottom_n:
        return std::make_unique<Ranking>(kind_, count_, order_);
    default:
        return make_accumulator(kind_);
    }
}

Result<BsonValue> AccumulatorSpec::operand(BsonDocumentView document,
                                           const EvaluationInput& input) const {
    return operand_->evaluate(document, input);
}

} // namespace tombolo::mql
