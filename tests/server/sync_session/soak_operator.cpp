#include "server/sync_session/soak_operator.hpp"

#include <stdexcept>

#include <boost/json/serialize.hpp>

#include "server/runtime/json.hpp"
#include "server/sync_session/islands.hpp"
#include "sim/view_documents.hpp"

namespace tombolo::server {

namespace {

namespace json = boost::json;

constexpr int properties_max = 3;
/// Beyond the items that devices make.
constexpr std::int64_t first_item = 1'000'000;

std::string number(std::int64_t value) {
    return R"({"$numberLong":")" + std::to_string(value) + "\"}";
}

} // namespace

void SoakOperator::arrive(std::uint16_t port) {
    port_ = port;
    admin_ = std::make_unique<Operator>(port, islands_app);
    login_ = log_in_anonymously(port, islands_app);
    service_ = admin_->service();
}

void SoakOperator::act(std::uint64_t file) {
    const std::uint32_t what = choices_.pick(100);
    if (is_paused_ && choices_.percent(20)) {
        calm_down();
    }
    if (what < 72) {
        choices_.percent(75) ? write_t() : write_item();
        ++done_[write];
    } else if (what < 80) {
        set_roles();
        ++done_[change_roles];
    } else if (what < 87) {
        set_development_mode();
        ++done_[develop];
    } else if (what < 90) {
        add_queryable();
        ++done_[make_queryable];
    } else if (what < 92) {
        extend();
        ++done_[add_property];
    } else if (what < 95) {
        put_file("force_reset", file);
        ++done_[reset];
    } else if (what < 97) {
        put_file("expire", file);
        ++done_[expire];
    } else if (what < 99) {
        set_state("disabled");
        is_paused_ = true;
        ++done_[pause];
    } else {
        set_state("");
        set_state("enabled");
        is_paused_ = false;
        ++done_[terminate];
    }
}

void SoakOperator::calm_down() {
    if (is_paused_) {
        set_state("enabled");
        is_paused_ = false;
    }
}

std::string SoakOperator::report() const {
    return std::to_string(done_[write]) + " outside writes, " +
           std::to_string(done_[change_roles]) + " changes of roles, " +
           std::to_string(done_[develop]) + " of development mode, " +
           std::to_string(done_[make_queryable]) + " of queryable fields, " +
           std::to_string(done_[add_property]) + " of schema, " + std::to_string(done_[reset]) +
           " resets, " + std::to_string(done_[expire]) + " devices given up, " +
           std::to_string(done_[pause]) + " pauses, " + std::to_string(done_[terminate]) +
           " ends of sync";
}

/// Under the rules of the moment: what they refuse changes nothing.
void SoakOperator::call(const std::string& action, const std::string& collection,
                        const std::string& arguments) {
    ask_collection(port_, islands_app, login_, collection, action, arguments);
}

void SoakOperator::write_t() {
    const std::string which =
        R"("query":{"_id":)" + number(choices_.pick(sim::object_key_count)) + "}";
    const std::string q = number(choices_.pick(sim::queryable_value_count));
    const std::uint32_t what = choices_.pick(100);
    if (what < 12) {
        call("updateOne", "T", which + R"(,"update":{"$set":{"q":"fits no class"}})");
    } else if (what < 24) {
        call("deleteOne", "T", which);
    } else if (what < 50) {
        call("updateOne", "T", which + R"(,"update":{"$inc":{"x":)" + number(1) + "}}");
    } else if (what < 65) {
        call("updateOne", "T",
             which + R"(,"update":{"$push":{"l":)" + number(choices_.pick(9)) + "}}");
    } else {
        call("updateOne", "T",
             which + R"(,"update":{"$set":{"q":)" + q + R"(,"x":)" + number(choices_.pick(9)) +
                 R"(}},"upsert":true)");
    }
}

void SoakOperator::write_item() {
    const std::string which = R"("query":{"_id":)" + number(first_item + choices_.pick(20)) + "}";
    if (choices_.percent(20)) {
        call("deleteOne", "Item", which);
        return;
    }
    call("updateOne", "Item",
         which + R"(,"update":{"$set":{"name":"of a program","priority":)" +
             number(choices_.pick(10)) + R"(}},"upsert":true)");
}

void SoakOperator::set_roles() {
    static constexpr std::array<const char*, 4> filters = {"true", R"({"q":{"$in":[0,1]}})",
                                                           R"({"q":2})", "false"};
    const std::string read_filter = filters[choices_.pick(filters.size())];
    const std::string write_filter = choices_.percent(50) ? read_filter : "true";
    const std::string rule =
        R"("database":"app","collection":"T","roles":[{"name":"r","apply_when":{},)"
        R"("document_filters":{"read":)" +
        read_filter + R"(,"write":)" + write_filter +
        R"(},"read":true,"write":true,"insert":true,"delete":true}],"filters":[])";
    const std::string rules = "services/" + service_ + "/rules";
    const json::value known = admin_->ask("GET", rules);
    if (known.as_array().empty()) {
        admin_->ask("POST", rules, "{" + rule + "}");
        return;
    }
    const std::string id = string_or(known.as_array()[0].as_object(), "_id");
    admin_->ask("PUT", rules + "/" + id, R"({"_id":")" + id + R"(",)" + rule + "}");
}

void SoakOperator::set_development_mode() {
    is_developing_ = !is_developing_;
    admin_->ask("PUT", "sync/config",
                std::string(R"({"development_mode_enabled":)") +
                    (is_developing_ ? "true}" : "false}"));
}

void SoakOperator::add_queryable() {
    queryable_ = queryable_ == 0 ? 1 : 2;
    admin_->ask("PATCH", "services/" + service_ + "/config",
                std::string(R"({"flexible_sync":{"queryable_fields_names":)"
                            R"(["owner","priority","q","x")") +
                    (queryable_ == 2 ? R"(,"tags"]}})" : "]}}"));
}

void SoakOperator::put_file(const std::string& path, std::uint64_t file) {
    const auto answer =
        admin_->call("PUT", "sync/" + path, R"({"file_ident":)" + std::to_string(file) + "}");
    if (answer.status != 204 && answer.status != 404) {
        throw std::runtime_error(path + " was answered with " + answer.text);
    }
}

void SoakOperator::set_state(const std::string& state) {
    admin_->ask("PATCH", "services/" + service_ + "/config",
                R"({"flexible_sync":{"state":")" + state + R"("}})");
}

void SoakOperator::extend() {
    if (properties_ == properties_max) {
        return;
    }
    const json::value schemas = admin_->ask("GET", "schemas");
    for (const json::value& one : schemas.as_array()) {
        if (string_or(one.at("metadata").as_object(), "collection") != "T") {
            continue;
        }
        const std::string path = "schemas/" + string_or(one.as_object(), "_id");
        json::value whole = admin_->ask("GET", path);
        whole.at("schema").at("properties").as_object()["p" + std::to_string(++properties_)] =
            json::object{{"bsonType", "string"}};
        admin_->ask("PUT", path, json::serialize(whole));
    }
}

} // namespace tombolo::server
