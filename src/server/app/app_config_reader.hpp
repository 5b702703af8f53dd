#pragma once

// Reads an app tree into an AppConfig: the parts of parse_app(), internal to server/app.
//
// Collects problems instead of stopping at the first: a person fixes them in one go.

#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "server/app/app_config.hpp"

namespace tombolo::server {

class ConfigReader {
  public:
    explicit ConfigReader(const AppTree& tree) : tree_(tree) {}

    Result<ParsedApp> run();

  private:
    // app_config.cpp
    void root();
    void custom_user_data();
    void secrets();
    void not_run();
    void ids();
    void validation();

    // app_config_providers.cpp
    void providers();
    void provider(const std::string& path, const std::string& type,
                  const boost::json::object& file);
    LocalUserpassConfig userpass(const std::string& path, const boost::json::object& file);
    CustomTokenConfig custom_token(const std::string& path, const boost::json::object& file,
                                   const boost::json::object& secret_config);
    void metadata_fields(const std::string& path, const boost::json::object& file,
                         ProviderConfig& config);

    // app_config_data.cpp
    void services(const std::string& folder);
    void data_source(const std::string& path, const std::string& folder,
                     const boost::json::object& file);
    void rules_and_schemas();
    std::optional<RuleConfig> rule(const std::string& path);
    void schema(const std::string& path, const std::string& source, const std::string& database,
                const std::string& collection);
    void sync();
    void sync_block(const std::string& path, const std::string& service,
                    const boost::json::object& file, SyncConfig::Mode mode);

    void code();
    void endpoints();
    void log_forwarders();
    void log_forwarder(const std::string& path, const boost::json::object& file);

    // Members of a file, wrong types noted.

    // The object in that file; an empty one when it is absent or wrong (which is noted).
    boost::json::object read(const std::string& path);
    // The same for an array.
    boost::json::array read_array(const std::string& path);
    std::string text(const std::string& path, const boost::json::object& object,
                     std::string_view key, std::string_view fallback = {});
    bool flag(const std::string& path, const boost::json::object& object, std::string_view key,
              bool fallback = false);
    // An array of strings; one string counts as an array of it, an empty one as none.
    std::vector<std::string> texts(const std::string& path, const boost::json::object& object,
                                   std::string_view key);
    // Absent and null are an empty array.
    boost::json::array objects(const std::string& path, const boost::json::object& object,
                               std::string_view key);
    void problem(const std::string& path, const std::string& what) {
        problems_.push_back(path + ": " + what);
    }
    void warn(const std::string& path, const std::string& what) {
        out_.warnings.push_back(path + ": " + what);
    }

    const AppTree& tree_;
    ParsedApp out_;
    std::vector<std::string> problems_;
};

} // namespace tombolo::server
