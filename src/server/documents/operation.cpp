#include "server/documents/operation.hpp"

#include "core/ejson.hpp"
#include "server/documents/schema_book.hpp"

namespace tombolo::documents {

namespace {

std::string text_of(mql::BsonView id) {
    if (id.is_missing()) {
        return {};
    }
    mql::BsonWriter writer;
    writer.append({}, id);
    const auto text = wrapped_bson_to_ejson(std::move(writer).finish().bytes(), EjsonForm::relaxed);
    return text ? *text : std::string("?");
}

} // namespace

Operation::Operation(const Services& services, const Request& request,
                     std::shared_ptr<const rules::AppRules> rules, std::int64_t now_ms)
    : services_(services), request_(request), arguments_(request.arguments),
      rules_(std::move(rules)), now_ms_(now_ms),
      deadline_(std::chrono::steady_clock::now() +
                std::chrono::milliseconds(services.limits.time_ms_max)) {}

Result<void> Operation::open() {
    name_.data_source = request_.data_source;
    TOMBOLO_TRY(name_.database, arguments_.text("database"));
    TOMBOLO_TRY(name_.collection, arguments_.text("collection"));
    if (is_system() || access_to(name_).has_rules()) {
        return {};
    }
    services_.log.info("access denied: the collection has no rules",
                       {{"app", request_.app.client_app_id},
                        {"user", request_.caller.facts->user_id},
                        {"collection", name_.to_string()},
                        {"action", std::string(request_.action)},
                        {"request", request_.caller.request_id}});
    return Error(ErrorCode::access_denied,
                 "no rule exists for namespace '" + name_.database + "." + name_.collection + "'");
}

const rules::CollectionAccess& Operation::access_to(const store::CollectionName& name) {
    const auto found = accesses_.find(name);
    if (found != accesses_.end()) {
        return found->second;
    }
    return accesses_
        .emplace(name, rules::CollectionAccess::bind(*rules_, name, *request_.caller.facts))
        .first->second;
}

const rules::CollectionAccess* Operation::access() const noexcept {
    const auto found = accesses_.find(name_);
    return found == accesses_.end() ? nullptr : &found->second;
}

CollectionView Operation::view(const store::Snapshot& snapshot) const {
    return {services_.store, snapshot,  services_.store.find_collection(name_),
            access(),        deadline_, now_ms_};
}

Result<CollectionView> Operation::foreign_view(const store::Snapshot& snapshot,
                                               const std::string& collection) {
    const store::CollectionName name{name_.data_source, name_.database, collection};
    const rules::CollectionAccess* access = is_system() ? nullptr : &access_to(name);
    if (access != nullptr && !access->has_rules()) {
        return Error(ErrorCode::access_denied,
                     "no rule exists for namespace '" + name.database + "." + collection + "'");
    }
    return CollectionView{services_.store, snapshot,  services_.store.find_collection(name),
                          access,          deadline_, now_ms_};
}

mql::EvaluationInput Operation::evaluation() const {
    mql::EvaluationInput input;
    input.now_ms = now_ms_;
    return input;
}

Result<void> Operation::check(const rules::Verdict& verdict, std::string_view action,
                              mql::BsonView id) {
    if (verdict.allowed) {
        return {};
    }
    services_.log.info("access denied", {{"app", request_.app.client_app_id},
                                         {"user", request_.caller.facts->user_id},
                                         {"collection", name_.to_string()},
                                         {"action", std::string(request_.action)},
                                         {"role", std::string(verdict.role)},
                                         {"reason", verdict.reason},
                                         {"document", text_of(id)},
                                         {"request", request_.caller.request_id}});
    return Error(ErrorCode::access_denied, std::string(action) + " not permitted");
}

Result<void> Operation::check_schema(mql::BsonDocumentView document,
                                     const mql::BsonDocumentView* previous) {
    if (!schema_) {
        schema_.emplace(services_.schemas.find(request_.app, name_));
        // Rules do not bind the system.
        if (*schema_ && (*schema_)->uses_expressions() && !is_system()) {
            const rules::Facts& facts = *request_.caller.facts;
            if (facts.custom_data) {
                custom_data_ = facts.custom_data();
            }
            values_.emplace(
                rules::BindingValues{facts, rules_->values(), rules_->environment(), custom_data_});
        }
    }
    if (!*schema_) {
        return {};
    }
    SchemaContext context;
    context.null_passes = request_.app.config.null_passes;
    context.previous = previous;
    context.values = values_ ? &*values_ : nullptr;
    return (*schema_)->check(document, context);
}

ObjectId Operation::new_id() const {
    return services_.ids.next(static_cast<std::uint32_t>(now_ms_ / 1000));
}

void Operation::note_hidden(const Reader& reader) const {
    if (reader.hidden() == 0 || !services_.log.enabled(server::LogLevel::debug)) {
        return;
    }
    services_.log.debug("documents hidden by rules", {{"app", request_.app.client_app_id},
                                                      {"user", request_.caller.facts->user_id},
                                                      {"collection", name_.to_string()},
                                                      {"action", std::string(request_.action)},
                                                      {"roles", reader.hidden_by()},
                                                      {"count", std::to_string(reader.hidden())},
                                                      {"plan", reader.plan().to_string()},
                                                      {"request", request_.caller.request_id}});
}

Result<mql::BsonValue> Operation::write(const Attempt& attempt, bool retry_duplicates) {
    for (unsigned tries = 1;; ++tries) {
        store::Transaction transaction;
        const auto snapshot = services_.store.snapshot();
        TOMBOLO_TRY(mql::BsonValue result, attempt(*snapshot, transaction));
        if (transaction.empty()) {
            return result;
        }
        if (transaction.bytes() > limits().write_bytes_max) {
            return Error(ErrorCode::limit_exceeded, "the operation writes more than " +
                                                        std::to_string(limits().write_bytes_max) +
                                                        " bytes; narrow its filter and repeat it");
        }
        const auto committed = services_.store.commit(std::move(transaction));
        if (committed) {
            return result;
        }
        const ErrorCode code = committed.error().code();
        // An upsert whose document came into being meanwhile finds it in the next attempt.
        const bool again = code == ErrorCode::write_conflict ||
                           (code == ErrorCode::duplicate_key && retry_duplicates && tries == 1);
        if (!again || tries >= limits().write_attempts_max) {
            return committed.error();
        }
    }
}

} // namespace tombolo::documents
