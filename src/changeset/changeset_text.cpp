// Names and text forms of instructions, for messages and test output.

#include <array>

#include <fmt/format.h>

#include "changeset/changeset.hpp"

namespace tombolo::changeset {

const char* opcode_name(Opcode op) noexcept {
    static constexpr std::array<const char*, opcode_count> names = {
        "AddTable",   "EraseTable", "CreateObject", "EraseObject", "Update",
        "AddInteger", "AddColumn",  "EraseColumn",  "ArrayInsert", "ArrayMove",
        "ArrayErase", "Clear",      "SetInsert",    "SetErase"};
    auto index = static_cast<std::size_t>(op);
    return index < names.size() ? names[index] : "?";
}

const char* payload_type_name(PayloadType type) noexcept {
    static constexpr std::array<const char*, payload_type_max - payload_type_min + 1> names = {
        "Set",   "List",   "Erased",  "Dictionary", "ObjectValue", "GlobalKey",
        "Null",  "Int",    "Bool",    "String",     "Binary",      "Timestamp",
        "Float", "Double", "Decimal", "Link",       "ObjectId",    "UUID"};
    int index = static_cast<int>(type) - payload_type_min;
    return index >= 0 && index < static_cast<int>(names.size())
               ? names[static_cast<std::size_t>(index)]
               : "?";
}

namespace {

const char* collection_name(CollectionKind kind) {
    static constexpr std::array<const char*, 4> names = {"Single", "List", "Dictionary", "Set"};
    auto index = static_cast<std::size_t>(kind);
    return index < names.size() ? names[index] : "?";
}

const char* column_type_name(PayloadType type) {
    return type == PayloadType::null ? "Mixed" : payload_type_name(type);
}

std::string payload_text(const Changeset& changeset, const Instruction& instruction) {
    return is_scalar(instruction.type) ? tombolo::to_text(changeset.scalar(instruction))
                                       : payload_type_name(instruction.type);
}

std::string place_text(const Changeset& changeset, const Instruction& instruction) {
    std::string text =
        fmt::format("{}[{}].{}", changeset.table(instruction),
                    tombolo::to_text(changeset.object(instruction)), changeset.field(instruction));
    for (const PathElement& element : changeset.path(instruction)) {
        text += element.is_index() ? fmt::format("[{}]", element.index())
                                   : fmt::format("[\"{}\"]", changeset.string(element.name()));
    }
    return text;
}

std::string schema_text(const Changeset& changeset, const Instruction& instruction) {
    std::string_view table = changeset.table(instruction);
    switch (instruction.op) {
    case Opcode::add_table:
        if (instruction.table_kind() == TableKind::embedded) {
            return fmt::format("{} embedded", table);
        }
        return fmt::format("{} {}key=\"{}\" {}{}", table,
                           instruction.table_kind() == TableKind::asymmetric ? "asymmetric " : "",
                           changeset.field(instruction), column_type_name(instruction.type),
                           instruction.nullable() ? "?" : "");
    case Opcode::add_column: {
        std::string text =
            fmt::format("{}.{} {}{} {}", table, changeset.field(instruction),
                        column_type_name(instruction.type), instruction.nullable() ? "?" : "",
                        collection_name(instruction.collection()));
        if (instruction.type == PayloadType::link) {
            text += fmt::format(" -> {}", changeset.link_target(instruction));
        }
        return text;
    }
    case Opcode::erase_column:
        return fmt::format("{}.{}", table, changeset.field(instruction));
    default:
        return std::string(table);
    }
}

std::string detail_text(const Changeset& changeset, const Instruction& instruction) {
    switch (instruction.op) {
    case Opcode::update:
        return changeset.is_array_update(instruction)
                   ? fmt::format(" = {} prior_size={}", payload_text(changeset, instruction),
                                 instruction.prior_size)
                   : fmt::format(" = {} default={}", payload_text(changeset, instruction),
                                 instruction.is_default() ? 1 : 0);
    case Opcode::add_integer:
        return fmt::format(" += {}", instruction.addend());
    case Opcode::array_insert:
        return fmt::format(" = {} prior_size={}", payload_text(changeset, instruction),
                           instruction.prior_size);
    case Opcode::array_move:
        return fmt::format(" to {} prior_size={}", instruction.to, instruction.prior_size);
    case Opcode::array_erase:
        return fmt::format(" prior_size={}", instruction.prior_size);
    case Opcode::clear:
        return fmt::format(" {}", collection_name(instruction.collection()));
    default:
        return fmt::format(" {}", payload_text(changeset, instruction));
    }
}

} // namespace

std::string to_text(const Changeset& changeset, const Instruction& instruction) {
    std::string text = opcode_name(instruction.op);
    text += ' ';
    if (is_schema_instruction(instruction.op)) {
        return text + schema_text(changeset, instruction);
    }
    if (!is_path_instruction(instruction.op)) {
        return text + fmt::format("{}[{}]", changeset.table(instruction),
                                  tombolo::to_text(changeset.object(instruction)));
    }
    return text + place_text(changeset, instruction) + detail_text(changeset, instruction);
}

std::string to_text(const Changeset& changeset) {
    std::string text;
    for (const Instruction& instruction : changeset.instructions()) {
        text += to_text(changeset, instruction);
        text += '\n';
    }
    return text;
}

} // namespace tombolo::changeset
