// insertOne, insertMany, updateOne, updateMany, deleteOne, deleteMany, findOneAndUpdate,
// findOneAndReplace, findOneAndDelete.

#include "mql/bson_compare.hpp"
#include "mql/path.hpp"
#include "mql/projection.hpp"
#include "mql/sort.hpp"
#include "mql/update.hpp"
#include "server/documents/actions.hpp"

namespace tombolo::documents {

using mql::BsonDocument;
using mql::BsonDocumentView;
using mql::BsonElement;
using mql::BsonValue;
using mql::BsonView;

namespace {

// ---- Inserting

Result<BsonDocument> with_id(const Operation& operation, BsonDocumentView document) {
    for (const BsonElement& element : document) {
        if (element.key.starts_with('$')) {
            return Error(ErrorCode::invalid_argument, "a field's name cannot begin with '$'",
                         std::string(element.key));
        }
    }
    const BsonView id = document.find("_id");
    if (!id.is_missing()) {
        TOMBOLO_TRY(const std::string key, store::document_key(id));
        static_cast<void>(key);
        return BsonDocument(document);
    }
    mql::BsonWriter writer;
    writer.append("_id", BsonValue::from_object_id(operation.new_id()));
    for (const BsonElement& element : document) {
        writer.append(element.key, element.value);
    }
    return std::move(writer).finish();
}

Result<void> check_insert(Operation& operation, BsonDocumentView document) {
    if (operation.access() != nullptr) {
        TOMBOLO_TRY_VOID(
            operation.check(operation.access()->insert(document), "insert", document.find("_id")));
    }
    return operation.check_schema(document, nullptr);
}

// ---- What an update does to a document

struct UpdateSpec {
    mql::Update update;
    BsonView spec;
};

Result<UpdateSpec> read_update(const Operation& operation, BsonView spec) {
    mql::UpdateOptions options;
    TOMBOLO_TRY(const auto filters, operation.arguments().array("arrayFilters"));
    if (filters) {
        for (const BsonElement& element : *filters) {
            if (!element.value.is_document()) {
                return Error(ErrorCode::invalid_argument, "'arrayFilters' must hold documents");
            }
            options.array_filters.push_back(element.value.as_document());
        }
    }
    if (!spec.is_document() && !spec.is_array()) {
        return Error(ErrorCode::invalid_argument, "'update' must be a document or a pipeline");
    }
    TOMBOLO_TRY(mql::Update update, mql::Update::compile(spec, options));
    return UpdateSpec{std::move(update), spec};
}

bool is_position(std::string_view part) noexcept {
    return part.starts_with('$') || mql::array_index(part) >= 0;
}

// True when the document has something at the path that is not shown.
bool is_hidden(BsonDocumentView stored, BsonDocumentView shown, std::string_view path) {
    for (;;) {
        const std::size_t dot = path.find('.');
        const BsonView is = stored.find(path.substr(0, dot));
        const BsonView seems = shown.find(path.substr(0, dot));
        if (!is.is_missing() && seems.is_missing()) {
            return true;
        }
        if (dot == std::string_view::npos || !is.is_document() || !seems.is_document()) {
            return false;
        }
        path = path.substr(dot + 1);
        if (is_position(path.substr(0, path.find('.')))) {
            return false;
        }
        stored = is.as_document();
        shown = seems.as_document();
    }
}

// Operators must not tell of what is hidden: {$max: {salary: 1000}} changes nothing or is denied,
// which is an answer. Pipelines may copy anything anywhere.
bool asks_for_hidden(const UpdateSpec& spec, BsonDocumentView stored, BsonDocumentView shown) {
    if (spec.update.is_pipeline()) {
        return true;
    }
    if (spec.update.is_replacement()) {
        return false; // what it removes is judged as a change
    }
    for (const BsonElement& group : spec.spec.as_document()) {
        if (!group.value.is_document()) {
            continue;
        }
        for (const BsonElement& field : group.value.as_document()) {
            if (is_hidden(stored, shown, field.key) ||
                (group.key == "$rename" && field.value.is_string() &&
                 is_hidden(stored, shown, field.value.as_string()))) {
                return true;
            }
        }
    }
    return false;
}

Result<BsonDocument> updated(Operation& operation, const Reader& reader, const UpdateSpec& spec) {
    mql::UpdateInput input;
    input.evaluation = operation.evaluation();
    input.match = reader.details();
    const BsonDocumentView before = reader.stored();
    TOMBOLO_TRY(BsonDocument after, spec.update.apply(before, input));
    if (operation.access() != nullptr) {
        rules::Verdict verdict = operation.access()->update(before, after);
        if (verdict.allowed && !reader.is_whole() &&
            asks_for_hidden(spec, before, reader.shown())) {
            verdict.allowed = false;
            verdict.reason = "the update asks for fields that cannot be read";
        }
        TOMBOLO_TRY_VOID(operation.check(verdict, "update", before.find("_id")));
    }
    TOMBOLO_TRY_VOID(operation.check_schema(after, &before));
    return after;
}

bool same_bytes(BsonDocumentView left, BsonDocumentView right) noexcept {
    return mql::identical(left.as_value(), right.as_value());
}

Result<BsonDocument> upserted(Operation& operation, const mql::Filter& filter,
                              const UpdateSpec& spec) {
    mql::UpdateInput input;
    input.evaluation = operation.evaluation();
    input.insert = true;
    TOMBOLO_TRY(const BsonDocument made, spec.update.upsert(filter, input));
    return with_id(operation, made);
}

Result<void> check_erase(Operation& operation, BsonDocumentView document) {
    return operation.access() == nullptr ? Result<void>()
                                         : operation.check(operation.access()->erase(document),
                                                           "delete", document.find("_id"));
}

// What the caller sees of a document that is not in the snapshot yet; nothing when hidden.
std::optional<BsonDocument> shown_after(const Operation& operation, BsonDocumentView document) {
    if (operation.access() == nullptr) {
        return BsonDocument(document);
    }
    const rules::Visible visible = operation.access()->read(document);
    switch (visible.kind) {
    case rules::Visible::Kind::hidden:
        return std::nullopt;
    case rules::Visible::Kind::fields:
        return mql::BsonDocument(visible.document);
    case rules::Visible::Kind::whole:
        break;
    }
    return BsonDocument(document);
}

} // namespace

Result<BsonValue> insert(Operation& operation, Amount amount) {
    std::vector<BsonDocument> documents;
    if (amount == Amount::one) {
        TOMBOLO_TRY(const auto given, operation.arguments().required_document("document"));
        TOMBOLO_TRY(BsonDocument document, with_id(operation, given));
        documents.push_back(std::move(document));
    } else {
        TOMBOLO_TRY(const auto given, operation.arguments().required_array("documents"));
        for (const BsonElement& element : given) {
            if (!element.value.is_document()) {
                return Error(ErrorCode::invalid_argument, "'documents' must hold documents");
            }
            TOMBOLO_TRY(BsonDocument document, with_id(operation, element.value.as_document()));
            documents.push_back(std::move(document));
        }
    }
    mql::BsonWriter writer;
    if (amount == Amount::many) {
        writer.begin_array("insertedIds");
    }
    for (const BsonDocument& document : documents) {
        TOMBOLO_TRY_VOID(check_insert(operation, document));
        writer.append("insertedId", document.view().find("_id"));
    }
    if (documents.empty()) {
        return std::move(writer).finish().into_value();
    }
    // Only now: who may not insert makes no collections.
    TOMBOLO_TRY(const store::CollectionId collection,
                operation.services().store.ensure_collection(operation.collection()));
    BsonValue result = std::move(writer).finish().into_value();
    return operation.write(
        [&](const store::Snapshot& /*snapshot*/,
            store::Transaction& transaction) -> Result<BsonValue> {
            for (const BsonDocument& document : documents) {
                transaction.insert(collection, document);
            }
            return result;
        },
        false);
}

Result<BsonValue> update(Operation& operation, Amount amount) {
    TOMBOLO_TRY(const auto query, operation.arguments().document("query"));
    TOMBOLO_TRY(const bool upsert, operation.arguments().flag("upsert"));
    TOMBOLO_TRY(const UpdateSpec spec,
                read_update(operation, operation.arguments().value("update")));
    TOMBOLO_TRY(const mql::Filter filter, mql::Filter::compile(query));
    const auto attempt = [&](const store::Snapshot& snapshot,
                             store::Transaction& transaction) -> Result<BsonValue> {
        const CollectionView view = operation.view(snapshot);
        Reader reader(view, &filter);
        std::int32_t matched = 0;
        std::int32_t modified = 0;
        for (;;) {
            TOMBOLO_TRY(const bool more, reader.next());
            if (!more) {
                break;
            }
            ++matched;
            TOMBOLO_TRY(BsonDocument after, updated(operation, reader, spec));
            if (!same_bytes(reader.stored(), after)) {
                ++modified;
                transaction.replace(*view.id, std::move(after), reader.modified());
                if (transaction.bytes() > operation.limits().write_bytes_max) {
                    break; // write() says so
                }
            }
            if (amount == Amount::one) {
                break;
            }
        }
        operation.note_hidden(reader);
        mql::BsonWriter writer;
        writer.append_int32("matchedCount", matched);
        writer.append_int32("modifiedCount", modified);
        if (matched == 0 && upsert) {
            TOMBOLO_TRY(BsonDocument document, upserted(operation, filter, spec));
            TOMBOLO_TRY_VOID(check_insert(operation, document));
            TOMBOLO_TRY(const store::CollectionId collection,
                        operation.services().store.ensure_collection(operation.collection()));
            writer.append("upsertedId", document.view().find("_id"));
            transaction.insert(collection, std::move(document));
        }
        return std::move(writer).finish().into_value();
    };
    return operation.write(attempt, upsert);
}

Result<BsonValue> erase(Operation& operation, Amount amount) {
    TOMBOLO_TRY(const auto query, operation.arguments().document("query"));
    TOMBOLO_TRY(const mql::Filter filter, mql::Filter::compile(query));
    const auto attempt = [&](const store::Snapshot& snapshot,
                             store::Transaction& transaction) -> Result<BsonValue> {
        const CollectionView view = operation.view(snapshot);
        Reader reader(view, &filter);
        std::int32_t erased = 0;
        for (;;) {
            TOMBOLO_TRY(const bool more, reader.next());
            if (!more) {
                break;
            }
            TOMBOLO_TRY_VOID(check_erase(operation, reader.stored()));
            transaction.erase(*view.id, reader.key(), reader.modified());
            ++erased;
            if (amount == Amount::one) {
                break;
            }
        }
        operation.note_hidden(reader);
        mql::BsonWriter writer;
        writer.append_int32("deletedCount", erased);
        return std::move(writer).finish().into_value();
    };
    return operation.write(attempt, false);
}

namespace {

struct FindOneAnd {
    mql::Filter filter;
    mql::SortOrder order;
    mql::Projection projection;
    bool upsert = false;
    bool return_new = false;
    std::optional<UpdateSpec> update; ///< nothing: delete
};

Result<FindOneAnd> read_find_one_and(const Operation& operation, Modify modify,
                                     BsonView empty_update) {
    const Arguments& arguments = operation.arguments();
    FindOneAnd out;
    TOMBOLO_TRY(const auto filter, arguments.document("filter"));
    TOMBOLO_TRY(const auto sort, arguments.document("sort"));
    TOMBOLO_TRY(const auto fields, arguments.document("projection"));
    TOMBOLO_TRY(out.filter, mql::Filter::compile(filter));
    TOMBOLO_TRY(out.order, mql::SortOrder::compile(sort));
    TOMBOLO_TRY(out.projection, mql::Projection::compile(fields));
    if (modify == Modify::erase) {
        return out;
    }
    TOMBOLO_TRY(out.upsert, arguments.flag("upsert"));
    TOMBOLO_TRY(out.return_new, arguments.flag("returnNewDocument"));
    // realm-web's findOneAndDelete calls findOneAndReplace without an update (R7-9).
    const BsonView spec = arguments.value("update");
    const bool empty = modify == Modify::replace && spec.is_missing();
    TOMBOLO_TRY(out.update, read_update(operation, empty ? empty_update : spec));
    if (modify == Modify::replace && !out.update->update.is_replacement()) {
        return Error(ErrorCode::invalid_argument, "'update' must be a document without operators");
    }
    return out;
}

// Moves `reader` to the document to modify: the first match, or the first in the order.
Result<bool> find_target(const Operation& operation, const CollectionView& view,
                         const FindOneAnd& spec, std::optional<Reader>& reader) {
    reader.emplace(view, &spec.filter);
    if (spec.order.empty()) {
        return reader->next();
    }
    std::optional<BsonDocument> best; // as it is shown, with the keys into it
    std::string best_key;
    for (;;) {
        TOMBOLO_TRY(const bool more, reader->next());
        if (!more) {
            break;
        }
        if (best) {
            const auto left = spec.order.keys(reader->shown().as_value());
            const auto right = spec.order.keys(best->view().as_value());
            if (spec.order.compare(left, right) >= 0) {
                continue;
            }
        }
        best = BsonDocument(reader->shown());
        best_key = reader->key();
    }
    operation.note_hidden(*reader);
    if (!best) {
        return false;
    }
    reader.emplace(view, &spec.filter, best_key);
    return reader->next();
}

Result<BsonValue> projected(const Operation& operation, const FindOneAnd& spec,
                            BsonDocumentView document, const mql::MatchDetails& details) {
    TOMBOLO_TRY(BsonDocument out, spec.projection.apply(document, operation.evaluation(), details));
    return std::move(out).into_value();
}

Result<BsonValue> upsert_one(Operation& operation, const FindOneAnd& spec,
                             store::Transaction& transaction) {
    TOMBOLO_TRY(BsonDocument document, upserted(operation, spec.filter, *spec.update));
    const Result<void> checked = check_insert(operation, document);
    if (!checked) {
        // The text that clients know (R7-12).
        return checked.error().code() == ErrorCode::invalid_document
                   ? Error(ErrorCode::invalid_document, "insert not permitted")
                   : checked.error();
    }
    TOMBOLO_TRY(const store::CollectionId collection,
                operation.services().store.ensure_collection(operation.collection()));
    const auto shown =
        spec.return_new ? shown_after(operation, document) : std::optional<BsonDocument>();
    transaction.insert(collection, std::move(document));
    return shown ? projected(operation, spec, *shown, {}) : BsonValue::from_null();
}

} // namespace

Result<BsonValue> find_one_and(Operation& operation, Modify modify) {
    const BsonDocument empty;
    TOMBOLO_TRY(const FindOneAnd spec,
                read_find_one_and(operation, modify, empty.view().as_value()));
    const auto attempt = [&](const store::Snapshot& snapshot,
                             store::Transaction& transaction) -> Result<BsonValue> {
        const CollectionView view = operation.view(snapshot);
        std::optional<Reader> reader;
        TOMBOLO_TRY(const bool found, find_target(operation, view, spec, reader));
        if (!found) {
            return spec.upsert ? upsert_one(operation, spec, transaction) : BsonValue::from_null();
        }
        if (!spec.update) {
            TOMBOLO_TRY_VOID(check_erase(operation, reader->stored()));
            transaction.erase(*view.id, reader->key(), reader->modified());
            return projected(operation, spec, reader->shown(), reader->details());
        }
        TOMBOLO_TRY(BsonDocument after, updated(operation, *reader, *spec.update));
        std::optional<BsonDocument> shown = spec.return_new
                                                ? shown_after(operation, after)
                                                : std::optional(BsonDocument(reader->shown()));
        if (!same_bytes(reader->stored(), after)) {
            transaction.replace(*view.id, std::move(after), reader->modified());
        }
        return shown ? projected(operation, spec, *shown, reader->details())
                     : BsonValue::from_null();
    };
    return operation.write(attempt, spec.upsert);
}

} // namespace tombolo::documents
