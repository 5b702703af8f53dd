// Apps from outside, as the import route takes them and as directories: whatever the bytes, an
// answer and no crash; what is accepted survives export and import.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "server/app/app_config.hpp"
#include "server/app/app_json.hpp"
#include "server/app/app_layout.hpp"
#include "server/app/zip_writer.hpp"
#include "server/runtime/json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tombolo::server;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto object = parse_json_object(text);
    if (!object) {
        return 0;
    }
    const auto tree = app_tree_of_json(*object);
    if (!tree) {
        return 0;
    }
    const auto kept = normalize_app(*tree);
    if (!kept) {
        return 0;
    }
    static_cast<void>(parse_app(kept->tree));
    AppTree plain = kept->tree;
    plain.erase("secrets.json");
    static_cast<void>(app_json_of_tree(plain));
    const ExportOptions options{AppLayout::v20230101, {}};
    const AppTree first = export_app(plain, options);
    static_cast<void>(write_zip(first).value());
    const auto again = normalize_app(first);
    if (again && export_app(again->tree, options) != first) {
        std::abort();
    }
    return 0;
}
