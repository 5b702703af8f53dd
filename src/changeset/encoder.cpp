// The encoder: the table-first form (changesets-and-merge.md 1.4).

#include <bit>
#include <cstring>

#include "changeset/codec.hpp"
#include "changeset/integer_codec.hpp"

namespace tombolo::changeset {

namespace {

class Encoder {
  public:
    explicit Encoder(const Changeset& changeset) : changeset_(changeset) {}

    std::vector<std::byte> run() {
        if (changeset_.empty()) {
            return {};
        }
        out_.reserve(changeset_.parts().bytes.size() + 16);
        for (std::uint32_t i = 0; i < changeset_.string_count(); ++i) {
            append_unsigned(out_, 63);
            append_unsigned(out_, i);
            write_text(as_bytes(changeset_.string(StringId{i})));
        }
        for (const Instruction& instruction : changeset_.instructions()) {
            write_instruction(instruction);
        }
        return std::move(out_);
    }

  private:
    void write_text(ByteView text) {
        append_unsigned(out_, text.size());
        out_.insert(out_.end(), text.begin(), text.end());
    }

    void write_string(StringId id) { append_unsigned(out_, to_index(id)); }
    void write_type(PayloadType type) { append_signed(out_, static_cast<std::int64_t>(type)); }
    void write_bool(bool value) { append_unsigned(out_, value ? 1 : 0); }

    template <std::size_t size>
    void write_raw(const Body& body) {
        auto bytes = body.bytes<size>();
        out_.insert(out_.end(), bytes.begin(), bytes.end());
    }

    void write_little_endian(std::uint64_t bits, unsigned size) {
        for (unsigned i = 0; i < size; ++i) {
            out_.push_back(static_cast<std::byte>(bits >> (8 * i)));
        }
    }

    void write_key(KeyId id) {
        const Key& key = changeset_.parts().keys[to_index(id)];
        write_type(key.type);
        switch (key.type) {
        case PayloadType::integer:
            append_signed(out_, key.body.integer());
            break;
        case PayloadType::string:
            append_unsigned(out_, key.body.words[0]);
            break;
        case PayloadType::global_key:
            append_unsigned(out_, key.body.words[0]);
            append_unsigned(out_, key.body.words[1]);
            break;
        case PayloadType::object_id:
            write_raw<12>(key.body);
            break;
        case PayloadType::uuid:
            write_raw<16>(key.body);
            break;
        default:
            break;
        }
    }

    void write_decimal(const Body& body) {
        std::uint64_t high = body.words[0] & ((std::uint64_t{1} << 49) - 1);
        std::uint64_t low = body.words[1];
        while (high != 0 || low >= 64) {
            out_.push_back(static_cast<std::byte>(0x80 | (low & 0x7F)));
            low = low >> 7 | high << 57;
            high >>= 7;
        }
        out_.push_back(static_cast<std::byte>(low));
        append_signed(out_, static_cast<std::int64_t>(body.words[0] >> 49 & 0x3FFF) - 6176);
        write_bool((body.words[0] >> 63) != 0);
    }

    void write_payload(const Instruction& instruction) {
        const Body& body = instruction.body;
        write_type(instruction.type);
        switch (instruction.type) {
        case PayloadType::integer:
            append_signed(out_, body.integer());
            break;
        case PayloadType::boolean:
            write_bool(body.words[0] != 0);
            break;
        case PayloadType::string:
        case PayloadType::binary:
            write_text(changeset_.payload_bytes(instruction));
            break;
        case PayloadType::timestamp:
            append_signed(out_, body.integer());
            append_signed(out_, std::bit_cast<std::int64_t>(body.words[1]));
            break;
        case PayloadType::float32:
            write_little_endian(body.words[0], 4);
            break;
        case PayloadType::float64:
            write_little_endian(body.words[0], 8);
            break;
        case PayloadType::decimal128:
            write_decimal(body);
            break;
        case PayloadType::link:
            append_unsigned(out_, body.words[0]);
            write_key(KeyId{static_cast<std::uint32_t>(body.words[1])});
            break;
        case PayloadType::object_id:
            write_raw<12>(body);
            break;
        case PayloadType::uuid:
            write_raw<16>(body);
            break;
        default:
            break;
        }
    }

    void write_place(const Instruction& instruction) {
        write_string(instruction.field);
        append_unsigned(out_, instruction.path_count);
        for (const PathElement& element : changeset_.path(instruction)) {
            if (element.is_index()) {
                append_unsigned(out_, element.index());
            } else {
                append_signed(out_, -1);
                write_string(element.name());
            }
        }
    }

    void write_schema_change(const Instruction& instruction) {
        switch (instruction.op) {
        case Opcode::add_table:
            append_unsigned(out_, instruction.kind);
            if (instruction.table_kind() != TableKind::embedded) {
                write_string(instruction.field);
                write_type(instruction.type);
                write_bool(instruction.nullable());
            }
            break;
        case Opcode::add_column:
            write_string(instruction.field);
            write_type(instruction.type);
            write_bool(instruction.nullable());
            append_unsigned(out_, instruction.kind);
            if (instruction.type == PayloadType::link) {
                write_string(instruction.link_target());
            }
            if (instruction.collection() == CollectionKind::dictionary) {
                write_type(instruction.key_type());
            }
            break;
        case Opcode::erase_column:
            write_string(instruction.field);
            break;
        default:
            break;
        }
    }

    /// What follows the path.
    void write_operation(const Instruction& instruction) {
        switch (instruction.op) {
        case Opcode::update:
            write_payload(instruction);
            if (changeset_.is_array_update(instruction)) {
                append_unsigned(out_, instruction.prior_size);
            } else {
                write_bool(instruction.is_default());
            }
            break;
        case Opcode::add_integer:
            append_signed(out_, instruction.addend());
            break;
        case Opcode::array_insert:
            write_payload(instruction);
            append_unsigned(out_, instruction.prior_size);
            break;
        case Opcode::array_move:
            append_unsigned(out_, instruction.to);
            append_unsigned(out_, instruction.prior_size);
            break;
        case Opcode::array_erase:
            append_unsigned(out_, instruction.prior_size);
            break;
        case Opcode::clear:
            append_unsigned(out_, instruction.kind);
            break;
        default:
            write_payload(instruction);
            break;
        }
    }

    void write_instruction(const Instruction& instruction) {
        append_unsigned(out_, static_cast<std::uint64_t>(instruction.op));
        write_string(instruction.table);
        if (is_schema_instruction(instruction.op)) {
            write_schema_change(instruction);
            return;
        }
        write_key(instruction.object);
        if (is_path_instruction(instruction.op)) {
            write_place(instruction);
            write_operation(instruction);
        }
    }

    const Changeset& changeset_;
    std::vector<std::byte> out_;
};

} // namespace

std::vector<std::byte> encode(const Changeset& changeset) {
    return Encoder(changeset).run();
}

} // namespace tombolo::changeset
