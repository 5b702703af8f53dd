#include "support/vector_json.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "core/bytes.hpp"

namespace tombolo::testing {

namespace json = boost::json;

namespace {

using changeset::Changeset;
using changeset::ClassInfo;
using changeset::CollectionKind;
using changeset::ColumnInfo;
using changeset::Instruction;
using changeset::MemoryState;
using changeset::Opcode;
using changeset::PathElement;
using changeset::PayloadType;
using changeset::TableKind;

/// Boost.JSON does not take std text by itself.
json::string text(std::string_view value) {
    return json::string(value);
}

json::value tagged(std::string_view tag, json::value content) {
    json::object object;
    object.emplace(tag, std::move(content));
    return object;
}

json::string hex(ByteView bytes) {
    return json::string(to_hex(bytes));
}

// Written out here and not through to_string(): the notation is the vectors', not core's.
std::string uuid_text(const Uuid& uuid) {
    std::string digits = to_hex(uuid.bytes);
    for (const std::size_t dash : {8U, 13U, 18U, 23U}) {
        digits.insert(dash, "-");
    }
    return digits;
}

json::value link_to_json(const LinkView& link, bool is_live);

struct KeyPrinter {
    json::value operator()(std::monostate) const { return nullptr; }
    json::value operator()(std::int64_t value) const {
        return tagged("i", text(std::to_string(value)));
    }
    json::value operator()(std::string_view value) const { return tagged("s", text(value)); }
    json::value operator()(const ObjectId& value) const { return tagged("o", hex(value.bytes)); }
    json::value operator()(const Uuid& value) const { return tagged("u", text(uuid_text(value))); }
    json::value operator()(const GlobalKey& value) const {
        return tagged("g",
                      json::array{text(std::to_string(value.hi)), text(std::to_string(value.lo))});
    }
};

struct ScalarPrinter : KeyPrinter {
    using KeyPrinter::operator();
    json::value operator()(bool value) const { return value; }
    json::value operator()(const BinaryView& value) const { return tagged("b", hex(value.bytes)); }
    json::value operator()(const Timestamp& value) const {
        return tagged("t", json::array{text(std::to_string(value.seconds())), value.nanoseconds()});
    }
    json::value operator()(float value) const {
        return tagged("f", text(fmt::format("{:08x}", std::bit_cast<std::uint32_t>(value))));
    }
    json::value operator()(double value) const {
        return tagged("d", text(fmt::format("{:016x}", std::bit_cast<std::uint64_t>(value))));
    }
    json::value operator()(const Decimal128& value) const {
        return tagged("n", text(fmt::format("{:016x}{:016x}", value.high, value.low)));
    }
    json::value operator()(const LinkView& value) const { return link_to_json(value, true); }
};

json::value link_to_json(const LinkView& link, bool is_live) {
    return tagged(is_live ? "l" : "lu", json::array{text(link.class_name), key_to_json(link.key)});
}

const char* kind_name(TableKind kind) {
    switch (kind) {
    case TableKind::embedded:
        return "embedded";
    case TableKind::asymmetric:
        return "asymmetric";
    default:
        return "top";
    }
}

const char* collection_name(CollectionKind kind) {
    switch (kind) {
    case CollectionKind::list:
        return "List";
    case CollectionKind::dictionary:
        return "Dictionary";
    case CollectionKind::set:
        return "Set";
    default:
        return "Single";
    }
}

const char* type_name(PayloadType type) {
    return type == PayloadType::null ? "Mixed" : changeset::payload_type_name(type);
}

json::value payload_to_json(const Changeset& changeset, const Instruction& instruction) {
    return changeset::is_scalar(instruction.type)
               ? scalar_to_json(changeset.scalar(instruction))
               : tagged("x", changeset::payload_type_name(instruction.type));
}

void add_schema_members(json::object& out, const Changeset& changeset,
                        const Instruction& instruction) {
    switch (instruction.op) {
    case Opcode::add_table:
        out["kind"] = kind_name(instruction.table_kind());
        if (instruction.table_kind() != TableKind::embedded) {
            out["pk_field"] = text(changeset.field(instruction));
            out["pk_type"] = type_name(instruction.type);
            out["pk_nullable"] = instruction.nullable();
        }
        break;
    case Opcode::add_column:
        out["field"] = text(changeset.field(instruction));
        out["type"] = type_name(instruction.type);
        out["nullable"] = instruction.nullable();
        out["collection"] = collection_name(instruction.collection());
        if (instruction.type == PayloadType::link) {
            out["target"] = text(changeset.link_target(instruction));
        }
        if (instruction.collection() == CollectionKind::dictionary) {
            out["key_type"] = type_name(instruction.key_type());
        }
        break;
    case Opcode::erase_column:
        out["field"] = text(changeset.field(instruction));
        break;
    default:
        break;
    }
}

void add_path_members(json::object& out, const Changeset& changeset,
                      const Instruction& instruction) {
    out["field"] = text(changeset.field(instruction));
    json::array path;
    for (const PathElement& element : changeset.path(instruction)) {
        if (element.is_index()) {
            path.emplace_back(element.index());
        } else {
            path.emplace_back(text(changeset.string(element.name())));
        }
    }
    out["path"] = std::move(path);
    if (changeset::has_payload(instruction.op)) {
        out["value"] = payload_to_json(changeset, instruction);
    }
    switch (instruction.op) {
    case Opcode::update:
        if (changeset.is_array_update(instruction)) {
            out["prior_size"] = instruction.prior_size;
        } else {
            out["default"] = instruction.is_default();
        }
        break;
    case Opcode::add_integer:
        out["addend"] = text(std::to_string(instruction.addend()));
        break;
    case Opcode::array_move:
        out["to"] = instruction.to;
        out["prior_size"] = instruction.prior_size;
        break;
    case Opcode::array_insert:
    case Opcode::array_erase:
        out["prior_size"] = instruction.prior_size;
        break;
    case Opcode::clear:
        out["collection"] = collection_name(instruction.collection());
        break;
    default:
        break;
    }
}

/// "int", "->Class", ...: the base types of a state's columns.
std::string base_type_text(PayloadType type, std::string_view target) {
    switch (type) {
    case PayloadType::null:
        return "mixed";
    case PayloadType::integer:
        return "int";
    case PayloadType::boolean:
        return "bool";
    case PayloadType::string:
        return "string";
    case PayloadType::binary:
        return "binary";
    case PayloadType::timestamp:
        return "timestamp";
    case PayloadType::float32:
        return "float";
    case PayloadType::float64:
        return "double";
    case PayloadType::decimal128:
        return "decimal";
    case PayloadType::object_id:
        return "objectid";
    case PayloadType::uuid:
        return "uuid";
    case PayloadType::link:
        return "->" + std::string(target);
    default:
        return "";
    }
}

json::object columns_to_json(const ClassInfo& info) {
    json::object columns;
    if (!info.primary_key.empty()) {
        columns[info.primary_key] =
            text(base_type_text(info.key_type, "") + (info.key_nullable ? "? pk" : " pk"));
    }
    for (const ColumnInfo& column : info.columns) {
        std::string type = base_type_text(column.type, column.target);
        if (column.nullable && !column.is_mixed() && column.type != PayloadType::link) {
            type += '?';
        }
        static constexpr std::array<const char*, 4> suffixes = {"", "[]", "{}", "<>"};
        columns[column.name] =
            text(type + suffixes.at(static_cast<std::size_t>(column.collection)));
    }
    return columns;
}

/// Recursion: as deep as the stored value is nested, which apply() bounds.
class StatePrinter {
  public:
    explicit StatePrinter(const MemoryState& state) : state_(state) {}

    json::value print(const Value& value) const {
        if (const Link* link = value.link()) {
            return link_to_json({link->class_name, to_view(link->key)}, state_.is_live(*link));
        }
        if (const auto* list = value.get_if<List>()) {
            return tagged("L", print(list->elements));
        }
        if (const auto* set = value.get_if<Set>()) {
            return tagged("S", print(set->elements()));
        }
        if (const auto* dictionary = value.get_if<Dictionary>()) {
            json::object entries;
            for (const auto& [key, entry] : dictionary->entries()) {
                entries[key] = print(entry);
            }
            return tagged("D", std::move(entries));
        }
        if (const auto* object = value.get_if<Object>()) {
            return print_fields(*object);
        }
        return scalar_to_json(value.scalar());
    }

    /// An embedded object is tagged in a single field only; in a collection it is its bare field
    /// map.
    json::object print_fields(const Object& object) const {
        json::object out;
        for (const auto& [name, value] : object.fields.entries()) {
            const auto* embedded = value.get_if<Object>();
            out[name] = embedded == nullptr ? print(value) : tagged("e", print_fields(*embedded));
        }
        return out;
    }

  private:
    json::array print(const std::vector<Value>& elements) const {
        json::array out;
        for (const Value& element : elements) {
            out.push_back(print(element));
        }
        return out;
    }

    const MemoryState& state_;
};

void sort_by_text(json::array& elements) {
    std::vector<std::pair<std::string, json::value>> keyed;
    for (json::value& element : elements) {
        // An object of a class is [key, fields]: the key alone would do, and it stands first.
        keyed.emplace_back(json::serialize(element), std::move(element));
    }
    std::sort(keyed.begin(), keyed.end(),
              [](const auto& left, const auto& right) { return left.first < right.first; });
    for (std::size_t i = 0; i < keyed.size(); ++i) {
        elements[i] = std::move(keyed[i].second);
    }
}

/// Sorts the arrays that stand for sets: those under a lone key "S", and the "objects" of a class.
void sort_sets(json::value& value) {
    if (auto* array = value.if_array()) {
        for (json::value& element : *array) {
            sort_sets(element);
        }
    } else if (auto* object = value.if_object()) {
        for (auto& [key, member] : *object) {
            sort_sets(member);
            if (json::array* elements = member.if_array();
                elements != nullptr && ((key == "S" && object->size() == 1) || key == "objects")) {
                sort_by_text(*elements);
            }
        }
    }
}

} // namespace

json::value key_to_json(const PrimaryKeyView& key) {
    return std::visit(KeyPrinter{}, key);
}

json::value scalar_to_json(const ScalarView& value) {
    return std::visit(ScalarPrinter{}, value);
}

json::object instruction_to_json(const Changeset& changeset, const Instruction& instruction) {
    json::object out;
    out["op"] = changeset::opcode_name(instruction.op);
    out["table"] = text(changeset.table(instruction));
    if (changeset::is_schema_instruction(instruction.op)) {
        add_schema_members(out, changeset, instruction);
        return out;
    }
    out["object"] = key_to_json(changeset.object(instruction));
    if (changeset::is_path_instruction(instruction.op)) {
        add_path_members(out, changeset, instruction);
    }
    return out;
}

json::array instructions_to_json(const Changeset& changeset) {
    json::array out;
    for (const Instruction& instruction : changeset.instructions()) {
        out.emplace_back(instruction_to_json(changeset, instruction));
    }
    return out;
}

json::object state_to_json(const MemoryState& state) {
    const StatePrinter printer(state);
    json::object out;
    for (const auto& [name, holder] : state.classes) {
        json::object printed;
        printed["kind"] = kind_name(holder.info.kind);
        printed["columns"] = columns_to_json(holder.info);
        if (holder.info.kind != TableKind::embedded) {
            json::array objects;
            for (const auto& [key, object] : holder.objects) {
                objects.push_back(
                    json::array{key_to_json(to_view(key)), printer.print_fields(object)});
            }
            printed["objects"] = std::move(objects);
        }
        out[name] = std::move(printed);
    }
    return out;
}

json::value canonical(json::value state) {
    sort_sets(state);
    return state;
}

} // namespace tombolo::testing
