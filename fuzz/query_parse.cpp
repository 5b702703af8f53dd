// Any text: parses or gives an error; what parses prints as text that parses to the same tree; what
// binds describes itself as a query that binds again.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/check.hpp"
#include "query/bound_printer.hpp"
#include "query/fixture.hpp"
#include "query/match_plan.hpp"
#include "query/parser.hpp"
#include "query/printer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tombolo;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto tree = query::parse(text);
    if (!tree) {
        TOMBOLO_CHECK(!tree.error().message().empty());
        return 0;
    }
    const std::string printed = query::print(*tree);
    const auto again = query::parse(printed);
    TOMBOLO_CHECK(again.has_value() && *again == *tree);
    for (const char* class_name : {"Person", "Account"}) {
        const auto bound =
            query::bind_query(*tree, text, query::test::fixture_schema(), class_name);
        if (bound) {
            const std::string description = query::print(*bound);
            const auto rebound =
                query::compile(description, query::test::fixture_schema(), class_name);
            TOMBOLO_CHECK(rebound.has_value());
            TOMBOLO_CHECK(!query::canonical(*bound).empty());
        }
    }
    return 0;
}
