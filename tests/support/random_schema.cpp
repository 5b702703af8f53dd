#include "support/random_schema.hpp"

#include <string>

namespace tombolo::testing {

using changeset::ChangesetBuilder;
using changeset::CollectionKind;
using changeset::PayloadType;
using changeset::TableKind;

std::uint32_t Choices::pick(std::uint32_t below) {
    // splitmix64
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
    mixed ^= mixed >> 31;
    return static_cast<std::uint32_t>((mixed >> 32) % below);
}

const std::vector<ColumnMenuItem>& column_menu() {
    constexpr auto single = CollectionKind::single;
    constexpr auto list = CollectionKind::list;
    constexpr auto dictionary = CollectionKind::dictionary;
    constexpr auto set = CollectionKind::set;
    using Type = PayloadType;
    static const std::vector<ColumnMenuItem> menu = {
        {"A", "int", {Type::integer, false, single}},
        {"A", "int_null", {Type::integer, true, single}},
        {"A", "string_null", {Type::string, true, single}},
        {"A", "bool", {Type::boolean, false, single}},
        {"A", "binary", {Type::binary, true, single}},
        {"A", "time", {Type::timestamp, true, single}},
        {"A", "float", {Type::float32, false, single}},
        {"A", "double", {Type::float64, true, single}},
        {"A", "decimal", {Type::decimal128, true, single}},
        {"A", "oid", {Type::object_id, true, single}},
        {"A", "uuid", {Type::uuid, true, single}},
        {"A", "z", {Type::string, true, single}},
        {"A", "mixed", {Type::null, true, single}},
        {"A", "bare_list", {Type::null, true, single}},
        {"A", "bare_dictionary", {Type::null, true, single}},
        {"A", "ints", {Type::integer, false, list}},
        {"A", "strings", {Type::string, true, list}},
        {"A", "mixeds", {Type::null, true, list}},
        {"A", "int_set", {Type::integer, false, set}},
        {"A", "string_set", {Type::string, true, set}},
        {"A", "mixed_set", {Type::null, true, set}},
        {"A", "int_map", {Type::integer, true, dictionary}},
        {"A", "mixed_map", {Type::null, true, dictionary}},
        {"A", "link", {Type::link, true, single, "B"}},
        {"A", "links", {Type::link, false, list, "B"}},
        {"A", "link_set", {Type::link, false, set, "B"}},
        {"A", "link_map", {Type::link, true, dictionary, "B"}},
        {"A", "embedded", {Type::link, true, single, "E"}},
        {"A", "embeddeds", {Type::link, false, list, "E"}},
        {"A", "embedded_map", {Type::link, true, dictionary, "E"}},
        {"B", "int", {Type::integer, false, single}},
        {"B", "mixed", {Type::null, true, single}},
        {"B", "links", {Type::link, false, list, "A"}},
        {"E", "int", {Type::integer, false, single}},
        {"E", "ints", {Type::integer, false, list}},
        {"E", "mixed", {Type::null, true, single}},
        {"E", "link", {Type::link, true, single, "B"}},
        {"E", "embedded", {Type::link, true, single, "F"}},
        {"E", "embeddeds", {Type::link, false, list, "F"}},
        {"F", "int_null", {Type::integer, true, single}},
        {"F", "strings", {Type::string, true, list}},
        {"Z", "int", {Type::integer, false, single}},
        {"Z", "ints", {Type::integer, false, list}},
        {"N", "int", {Type::integer, false, single}},
        {"N", "link", {Type::link, true, single, "A"}},
        {"N", "embedded", {Type::link, true, single, "E"}},
    };
    return menu;
}

void add_class(std::string_view name, ChangesetBuilder& out) {
    if (name == "E" || name == "F") {
        out.add_embedded_table(name);
    } else {
        out.add_table(name, TableKind::top_level, "_id",
                      name == "B" ? PayloadType::string : PayloadType::integer, false);
    }
}

void add_random_schema(Choices& choices, ChangesetBuilder& out) {
    for (const std::string_view name : {"F", "E", "A", "B"}) {
        add_class(name, out);
    }
    const bool with_erasable = choices.percent(30);
    if (with_erasable) {
        add_class("Z", out);
    }
    // Few columns in most cases: the fewer there are, the more often two peers meet.
    const std::uint32_t density = 5 + choices.pick(40);
    for (const ColumnMenuItem& item : column_menu()) {
        const bool exists = item.table != "N" && (item.table != "Z" || with_erasable);
        // Embedded classes need something to edit.
        const bool always = item.table == "E" || item.table == "F";
        if (exists && (always ? choices.percent(75) : choices.percent(density))) {
            out.add_column(item.table, item.name, item.definition);
        }
    }
}

PrimaryKey random_key(std::string_view table, Choices& choices) {
    const std::uint32_t number = choices.percent(50) ? 0 : choices.pick(3);
    if (table == "B") {
        return std::string(1, static_cast<char>('p' + number));
    }
    return std::int64_t{number};
}

} // namespace tombolo::testing
