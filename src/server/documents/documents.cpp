#include "server/documents/documents.hpp"

#include <algorithm>
#include <array>

#include "server/documents/actions.hpp"
#include "server/documents/client_files.hpp"
#include "server/documents/schema_book.hpp"
#include "server/rules/rule_book.hpp"

namespace tombolo::documents {

using mql::BsonValue;

namespace {

struct Action {
    std::string_view name;
    Result<BsonValue> (*run)(Operation&);
};

constexpr std::array<Action, 13> actions{{
    {"find", [](Operation& operation) { return find(operation, Amount::many); }},
    {"findOne", [](Operation& operation) { return find(operation, Amount::one); }},
    {"aggregate", aggregate},
    {"count", count},
    {"insertOne", [](Operation& operation) { return insert(operation, Amount::one); }},
    {"insertMany", [](Operation& operation) { return insert(operation, Amount::many); }},
    {"updateOne", [](Operation& operation) { return update(operation, Amount::one); }},
    {"updateMany", [](Operation& operation) { return update(operation, Amount::many); }},
    {"deleteOne", [](Operation& operation) { return erase(operation, Amount::one); }},
    {"deleteMany", [](Operation& operation) { return erase(operation, Amount::many); }},
    {"findOneAndUpdate",
     [](Operation& operation) { return find_one_and(operation, Modify::update); }},
    {"findOneAndReplace",
     [](Operation& operation) { return find_one_and(operation, Modify::replace); }},
    {"findOneAndDelete",
     [](Operation& operation) { return find_one_and(operation, Modify::erase); }},
}};

const Action* find_action(std::string_view name) noexcept {
    const auto* found = std::find_if(actions.begin(), actions.end(),
                                     [&](const Action& action) { return action.name == name; });
    return found == actions.end() ? nullptr : found;
}

} // namespace

class Documents::Impl {
  public:
    Impl(store::Store& store, rules::RuleBook& rules, const server::Log& log,
         std::function<std::int64_t()> now_ms, Limits limits)
        : rules_(rules), now_ms_(std::move(now_ms)), limits_(limits),
          ids_(random_), services_{store, log, ids_, schemas_, limits_} {}

    Result<BsonValue> call(const Request& request) {
        if (request.app.config.data_source(request.data_source) == nullptr) {
            return Error(ErrorCode::service_not_found,
                         "service not found: '" + std::string(request.data_source) + "'");
        }
        const Action* action = find_action(request.action);
        if (action == nullptr) {
            return Error(ErrorCode::action_not_found,
                         "unknown action '" + std::string(request.action) + "' of service '" +
                             std::string(request.data_source) + "'");
        }
        if (auto answer = call_client_files(client_files_, request)) {
            return *std::move(answer);
        }
        Operation operation(services_, request,
                            request.caller.is_system() ? nullptr : rules_.rules(request.app),
                            now_ms_());
        TOMBOLO_TRY_VOID(operation.open());
        return action->run(operation);
    }

    void connect(ClientFiles files) { client_files_ = std::move(files); }

  private:
    rules::RuleBook& rules_;
    const std::function<std::int64_t()> now_ms_;
    const Limits limits_;
    SystemRandom random_;
    ObjectIdGenerator ids_;
    SchemaBook schemas_;
    const Services services_;
    ClientFiles client_files_;
};

Documents::Documents(store::Store& store, rules::RuleBook& rules, const server::Log& log,
                     std::function<std::int64_t()> now_ms, Limits limits)
    : impl_(std::make_unique<Impl>(store, rules, log, std::move(now_ms), limits)) {}

Documents::~Documents() = default;

Result<BsonValue> Documents::call(const Request& request) const {
    return impl_->call(request);
}

void Documents::connect(ClientFiles files) {
    impl_->connect(std::move(files));
}

bool Documents::has_action(std::string_view action) noexcept {
    return find_action(action) != nullptr;
}

} // namespace tombolo::documents
