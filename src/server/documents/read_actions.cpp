// find, findOne, aggregate, count.

#include "mql/pipeline.hpp"
#include "mql/projection.hpp"
#include "mql/sort.hpp"
#include "server/documents/actions.hpp"
#include "server/documents/sorted_reader.hpp"

namespace tombolo::documents {

using mql::BsonDocument;
using mql::BsonValue;

namespace {

Error too_large(const Limits& limits) {
    return Error(ErrorCode::limit_exceeded, "the result is larger than " +
                                                std::to_string(limits.result_bytes_max) +
                                                " bytes; narrow the query or add a limit");
}

// Documents of a view, one after the other, for a pipeline.
class ViewSource final : public mql::DocumentSource {
  public:
    ViewSource(const CollectionView& view, const mql::Filter* filter)
        : view_(view), filter_(filter == nullptr ? mql::Filter() : *filter),
          reader_(view_, filter == nullptr ? nullptr : &filter_) {}

    Result<std::optional<BsonDocument>> next() override {
        TOMBOLO_TRY(const bool more, reader_.next());
        if (!more) {
            return std::optional<BsonDocument>();
        }
        return std::optional(BsonDocument(reader_.shown()));
    }

  private:
    CollectionView view_;
    mql::Filter filter_;
    Reader reader_;
};

class Foreign final : public mql::ForeignCollections {
  public:
    Foreign(Operation& operation, const store::Snapshot& snapshot)
        : operation_(operation), snapshot_(snapshot) {}

    Result<std::unique_ptr<mql::DocumentSource>> open(std::string_view collection) const override {
        TOMBOLO_TRY(const CollectionView view,
                    operation_.foreign_view(snapshot_, std::string(collection)));
        return std::unique_ptr<mql::DocumentSource>(std::make_unique<ViewSource>(view, nullptr));
    }

  private:
    Operation& operation_;
    const store::Snapshot& snapshot_;
};

} // namespace

Result<BsonValue> find(Operation& operation, Amount amount) {
    const Arguments& arguments = operation.arguments();
    TOMBOLO_TRY(const auto query, arguments.document("query"));
    TOMBOLO_TRY(const auto fields, arguments.document("project"));
    TOMBOLO_TRY(const auto sort, arguments.document("sort"));
    TOMBOLO_TRY(auto limit, arguments.count("limit"));
    TOMBOLO_TRY(const mql::Filter filter, mql::Filter::compile(query));
    TOMBOLO_TRY(const mql::Projection projection, mql::Projection::compile(fields));
    TOMBOLO_TRY(const mql::SortOrder order, mql::SortOrder::compile(sort));
    if (amount == Amount::one) {
        limit = 1;
    } else if (!operation.is_system()) {
        const std::size_t most = operation.limits().result_documents_max;
        limit = std::min(limit.value_or(most), most);
    }
    const auto snapshot = operation.services().store.snapshot();
    const CollectionView view = operation.view(*snapshot);
    mql::BsonWriter writer(true);
    std::optional<BsonDocument> first;
    SortedReader reader(view, filter, order, limit, operation.limits().memory_bytes_max);
    for (;;) {
        TOMBOLO_TRY(const bool more, reader.next());
        if (!more) {
            break;
        }
        TOMBOLO_TRY(BsonDocument document,
                    projection.apply(reader.document(), operation.evaluation(), reader.details()));
        if (amount == Amount::one) {
            first = std::move(document);
            break;
        }
        if (writer.size() + document.bytes().size() > operation.limits().result_bytes_max) {
            return too_large(operation.limits());
        }
        writer.append({}, document.view().as_value());
    }
    operation.note_hidden(reader.reader());
    if (amount == Amount::many) {
        return std::move(writer).finish().into_array_value();
    }
    return first ? std::move(*first).into_value() : BsonValue::from_null();
}

Result<BsonValue> aggregate(Operation& operation) {
    const mql::BsonView stages = operation.arguments().value("pipeline");
    if (!stages.is_array()) {
        return Error(ErrorCode::invalid_argument, "'pipeline' must be an array");
    }
    TOMBOLO_TRY(const mql::Pipeline pipeline, mql::Pipeline::compile(stages));
    const auto snapshot = operation.services().store.snapshot();
    const Foreign foreign(operation, *snapshot);
    mql::PipelineInput input;
    input.evaluation = operation.evaluation();
    input.foreign = &foreign;
    input.memory_bytes_max = operation.limits().memory_bytes_max;
    SystemRandom random;
    const std::function<double()> uniform = [&random] {
        return static_cast<double>(random.next() >> 11) * 0x1.0p-53;
    };
    input.evaluation.random = &uniform;
    TOMBOLO_TRY(const auto results,
                pipeline.run(std::make_unique<ViewSource>(operation.view(*snapshot),
                                                          pipeline.leading_match()),
                             input));
    mql::BsonWriter writer(true);
    for (std::size_t documents = 0;; ++documents) {
        TOMBOLO_TRY(const auto document, results->next());
        const bool full =
            !operation.is_system() && documents == operation.limits().result_documents_max;
        if (!document || full) {
            return std::move(writer).finish().into_array_value();
        }
        if (writer.size() + document->bytes().size() > operation.limits().result_bytes_max) {
            return too_large(operation.limits());
        }
        writer.append({}, document->view().as_value());
    }
}

Result<BsonValue> count(Operation& operation) {
    TOMBOLO_TRY(const auto query, operation.arguments().document("query"));
    TOMBOLO_TRY(const auto limit, operation.arguments().count("limit"));
    TOMBOLO_TRY(const mql::Filter filter, mql::Filter::compile(query));
    const auto snapshot = operation.services().store.snapshot();
    const CollectionView view = operation.view(*snapshot);
    Reader reader(view, &filter);
    std::int64_t found = 0;
    while (!limit || static_cast<std::size_t>(found) < *limit) {
        TOMBOLO_TRY(const bool more, reader.next());
        if (!more) {
            break;
        }
        ++found;
    }
    operation.note_hidden(reader);
    return BsonValue::from_int64(found);
}

} // namespace tombolo::documents
