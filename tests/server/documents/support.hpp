#pragma once

// Actions on app "demo" with rules, by the system or a signed-in user, in Extended JSON.

#include <string>
#include <string_view>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "server/rules/rules_support.hpp"
#include "server/support/service.hpp"

namespace tombolo::documents {

using rules::json;

/// The demo app with data source "mongodb-atlas", whose collection app.items has these rules
/// ("": none), and this schema ("": none).
inline server::AppTree app_with(std::string_view rules, std::string_view schema = {}) {
    server::AppTree tree = server::demo_app();
    tree["data_sources/mongodb-atlas/config.json"] =
        R"({"name": "mongodb-atlas", "type": "mongodb-atlas", "config": {}})";
    const std::string folder = "data_sources/mongodb-atlas/app/items/";
    if (!rules.empty()) {
        std::string text = json(rules);
        text.insert(text.find('{') + 1, R"("database": "app", "collection": "items", )");
        tree[folder + "rules.json"] = text;
    }
    if (!schema.empty()) {
        tree[folder + "schema.json"] = json(schema);
        tree[folder + "relationships.json"] = "{}";
    }
    return tree;
}

inline constexpr std::string_view open_rules =
    "{'roles':[{'name':'all','apply_when':{},'read':true,'write':true}],'filters':[]}";

class Actions {
  public:
    explicit Actions(const server::AppTree& tree, const std::string& log_file = {})
        : service_(options(tree, log_file)) {}

    /// The relaxed Extended JSON of the result, or "error_code: text".
    std::string as_system(std::string_view action, std::string_view arguments,
                          std::string_view collection = "items") {
        const auto app = service_.app();
        const mql::BsonDocument given = rules::bson(with_place(arguments, collection));
        const auto result = service_.data_sources().documents().call(
            {*app, system_caller(), "mongodb-atlas", action, given});
        return result ? text(*result) : error(result.error());
    }

    std::string as(const server::SignedInUser& user, std::string_view action,
                   std::string_view arguments, std::string_view collection = "items") {
        const std::string body = R"({"name": ")" + std::string(action) +
                                 R"(", "service": "mongodb-atlas", "arguments": [)" +
                                 json(with_place(arguments, collection)) + "]}";
        const server::Answer answer = service_.post("functions/call", body, user.access);
        if (answer.status != 200) {
            return std::to_string(answer.status) + " " + answer["error_code"] + ": " +
                   answer["error"];
        }
        return text(mql::BsonDocument::validate(ejson_to_wrapped_bson(answer.text).value())
                        .value()
                        .view()
                        .at(0));
    }

    server::Service& service() { return service_; }

  private:
    static server::ServiceOptions options(const server::AppTree& tree,
                                          const std::string& log_file) {
        server::ServiceOptions out;
        out.apps = {tree};
        out.log_file = log_file;
        return out;
    }
    static std::string with_place(std::string_view arguments, std::string_view collection) {
        std::string out(arguments);
        const bool empty = out == "{}";
        out.insert(1, "'database':'app','collection':'" + std::string(collection) + "'" +
                          (empty ? "" : ","));
        return out;
    }
    static std::string text(mql::BsonView value) {
        mql::BsonWriter writer;
        writer.append({}, value);
        return wrapped_bson_to_ejson(std::move(writer).finish().bytes(), EjsonForm::relaxed)
            .value();
    }
    static std::string error(const Error& error) {
        return std::string(error_code_name(error.code())) + ": " + error.what();
    }

    server::Service service_;
};

} // namespace tombolo::documents
