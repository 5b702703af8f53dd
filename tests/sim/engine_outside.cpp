#include "sim/engine_outside.hpp"

#include <utility>

#include "schema/document.hpp"
#include "sim/engine_world.hpp"

namespace tombolo::sim {

store::Transaction random_outside_write(const server::sync::SyncModel& model,
                                        const std::string& database, Choices& choices) {
    const auto collection = *shared_store().find_collection({"source", database, "T"});
    const auto snapshot = shared_store().snapshot();
    const ObjectKey key = choices.pick(object_key_count);
    const std::string name = *store::document_key(mql::BsonValue::from_int64(key));
    const auto stored = *snapshot->find(collection, name);
    changeset::MemoryState state = empty_state();
    bool is_syncable = false;
    if (stored) {
        schema::ReadDocument read =
            schema::document_to_object(model.documents, "T", stored->body.bytes());
        is_syncable = read.ok();
        if (read.ok()) {
            read.object.fields.erase("_id");
            state = state_of(key, read.object);
        }
    }
    store::Transaction transaction;
    write_random(state, (View{1} << queryable_value_count) - 1, choices);
    Document after = document(state, key);
    if (choices.percent(15)) {
        mql::BsonWriter writer;
        writer.append_int64("_id", key);
        writer.append_string("q", "fits no class");
        transaction.put(collection, std::move(writer).finish());
    } else if (after) {
        after->fields.set("_id", key);
        const auto written =
            stored && is_syncable
                ? schema::update_document(model.documents, "T", *after, stored->body.bytes())
                : schema::object_to_document(model.documents, "T", *after);
        transaction.put(collection, *mql::BsonDocument::validate(written->bson));
    } else {
        transaction.erase(collection, name);
    }
    return transaction;
}

} // namespace tombolo::sim
