#include "changeset/changeset.hpp"

#include <bit>

namespace tombolo::changeset {

namespace {

StringId string_of(const Body& body) noexcept {
    return StringId{static_cast<std::uint32_t>(body.words[0])};
}

bool same_path(const Changeset& left, const Instruction& a, const Changeset& right,
               const Instruction& b) {
    auto left_path = left.path(a);
    auto right_path = right.path(b);
    if (left_path.size() != right_path.size()) {
        return false;
    }
    for (std::size_t i = 0; i < left_path.size(); ++i) {
        if (left_path[i].is_index() != right_path[i].is_index()) {
            return false;
        }
        if (left_path[i].is_index()
                ? left_path[i].index() != right_path[i].index()
                : left.string(left_path[i].name()) != right.string(right_path[i].name())) {
            return false;
        }
    }
    return true;
}

bool same_body(const Changeset& left, const Instruction& a, const Changeset& right,
               const Instruction& b) {
    if (a.type != b.type) {
        return false;
    }
    switch (a.type) {
    case PayloadType::string:
    case PayloadType::binary:
        return as_text(left.payload_bytes(a)) == as_text(right.payload_bytes(b));
    case PayloadType::link:
        return left.string(string_of(a.body)) == right.string(string_of(b.body)) &&
               left.key(KeyId{static_cast<std::uint32_t>(a.body.words[1])}) ==
                   right.key(KeyId{static_cast<std::uint32_t>(b.body.words[1])});
    default:
        return a.body == b.body;
    }
}

bool same_schema_change(const Changeset& left, const Instruction& a, const Changeset& right,
                        const Instruction& b) {
    if (a.kind != b.kind || a.flag != b.flag || a.type != b.type) {
        return false;
    }
    bool has_field = a.op != Opcode::erase_table &&
                     !(a.op == Opcode::add_table && a.table_kind() == TableKind::embedded);
    if (has_field && left.field(a) != right.field(b)) {
        return false;
    }
    if (a.op != Opcode::add_column) {
        return true;
    }
    return (a.type != PayloadType::link || left.link_target(a) == right.link_target(b)) &&
           (a.collection() != CollectionKind::dictionary || a.key_type() == b.key_type());
}

} // namespace

PrimaryKeyView Changeset::key(KeyId id) const noexcept {
    const Key& key = parts_.keys[to_index(id)];
    switch (key.type) {
    case PayloadType::integer:
        return key.body.integer();
    case PayloadType::string:
        return string(string_of(key.body));
    case PayloadType::object_id:
        return ObjectId{key.body.bytes<12>()};
    case PayloadType::uuid:
        return Uuid{key.body.bytes<16>()};
    case PayloadType::global_key:
        return GlobalKey{key.body.words[0], key.body.words[1]};
    default:
        return std::monostate{};
    }
}

ScalarView Changeset::scalar(const Instruction& instruction) const {
    const Body& body = instruction.body;
    switch (instruction.type) {
    case PayloadType::integer:
        return body.integer();
    case PayloadType::boolean:
        return body.words[0] != 0;
    case PayloadType::string:
        return as_text(payload_bytes(instruction));
    case PayloadType::binary:
        return BinaryView{payload_bytes(instruction)};
    case PayloadType::timestamp:
        return *Timestamp::make(
            body.integer(), static_cast<std::int32_t>(std::bit_cast<std::int64_t>(body.words[1])));
    case PayloadType::float32:
        return std::bit_cast<float>(static_cast<std::uint32_t>(body.words[0]));
    case PayloadType::float64:
        return std::bit_cast<double>(body.words[0]);
    case PayloadType::decimal128:
        return Decimal128{body.words[0], body.words[1]};
    case PayloadType::link:
        return LinkView{string(string_of(body)),
                        key(KeyId{static_cast<std::uint32_t>(body.words[1])})};
    case PayloadType::object_id:
        return ObjectId{body.bytes<12>()};
    case PayloadType::uuid:
        return Uuid{body.bytes<16>()};
    default:
        return std::monostate{};
    }
}

bool same_instruction(const Changeset& left, const Instruction& a, const Changeset& right,
                      const Instruction& b) {
    if (a.op != b.op || left.table(a) != right.table(b)) {
        return false;
    }
    if (is_schema_instruction(a.op)) {
        return same_schema_change(left, a, right, b);
    }
    if (left.object(a) != right.object(b)) {
        return false;
    }
    if (!is_path_instruction(a.op)) {
        return true;
    }
    return left.field(a) == right.field(b) && same_path(left, a, right, b) && a.kind == b.kind &&
           a.flag == b.flag && a.prior_size == b.prior_size && a.to == b.to &&
           same_body(left, a, right, b);
}

bool same_instructions(const Changeset& left, const Changeset& right) {
    auto left_list = left.instructions();
    auto right_list = right.instructions();
    if (left_list.size() != right_list.size()) {
        return false;
    }
    for (std::size_t i = 0; i < left_list.size(); ++i) {
        if (!same_instruction(left, left_list[i], right, right_list[i])) {
            return false;
        }
    }
    return true;
}

} // namespace tombolo::changeset
