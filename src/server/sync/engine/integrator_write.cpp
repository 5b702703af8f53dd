// Writes that no device made, and changes of the model.

#include <algorithm>

#include "server/sync/engine/integrator.hpp"

namespace tombolo::server::sync {

using changeset::Changeset;
using changeset::ChangesetBuilder;

Result<void> Integrator::change_model(SyncModel config) {
    const std::vector<schema::SchemaFact> added =
        schema::facts_beyond(model_->schema(), config.documents.schema);
    TOMBOLO_TRY(model_, Model::make(std::move(config), store_));
    batch_->set_model(model_);
    if (added.empty()) {
        return {};
    }
    ChangesetBuilder out;
    for (const schema::SchemaFact& fact : added) {
        append_fact(out, fact);
    }
    TOMBOLO_TRY(Changeset whole, out.finish());
    HistoryEntry head;
    head.timestamp = now();
    append(std::move(head), std::move(whole));
    return {};
}

Result<std::optional<Error>> Integrator::write(const store::Transaction& transaction) {
    for (const store::Transaction::Request& request : transaction.requests()) {
        batch_->passed_on.push_back(request);
    }
    return std::optional<Error>();
}

} // namespace tombolo::server::sync
