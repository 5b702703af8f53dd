// The decoder: one pass over the bytes, straight into the changeset's arrays.

#include <algorithm>
#include <string>

#include "changeset/codec.hpp"
#include "changeset/value_reader.hpp"
#include "core/limits.hpp"

namespace tombolo::changeset {

namespace {

constexpr std::uint64_t intern_string_record = 63;

class Decoder : private ValueReader {
  public:
    explicit Decoder(ChangesetParts& parts) : ValueReader(parts.bytes), parts_(parts) {}

    bool run() {
        parts_.instructions.reserve(parts_.bytes.size() / 12 + 1);
        parts_.keys.reserve(parts_.bytes.size() / 48 + 1);
        while (at_ != end_) {
            std::uint64_t opcode = 0;
            const std::byte* start = at_;
            if (!read_unsigned(8, opcode)) {
                return false;
            }
            if (opcode == intern_string_record) {
                if (!read_intern_string()) {
                    return false;
                }
                continue;
            }
            if (opcode >= opcode_count) {
                return fail(start, "unknown opcode");
            }
            make_room(parts_.instructions, 2);
            Instruction& instruction = parts_.instructions.emplace_back();
            instruction.op = static_cast<Opcode>(opcode);
            if (!read_instruction(instruction)) {
                return false;
            }
        }
        return true;
    }

    Error error() const {
        return Error(ErrorCode::bad_changeset, std::string("cannot read changeset: ") + reason_,
                     "offset " + std::to_string(failed_at_ - begin_));
    }

  private:
    /// Room for one more element. Grows to what the input read so far foretells for the rest, never
    /// beyond what the rest can hold at `bytes_min` bytes of input an element.
    template <class T>
    void make_room(std::vector<T>& list, std::size_t bytes_min) {
        if (list.size() < list.capacity()) [[likely]] {
            return;
        }
        std::size_t size = list.size();
        std::size_t most = size + left() / bytes_min + 2;
        double density = static_cast<double>(size) / static_cast<double>(offset() + 1);
        auto foretold =
            size + static_cast<std::size_t>(density * static_cast<double>(left()) * 1.05);
        list.reserve(std::min(most, std::clamp(foretold, size + size / 2 + 8, size * 4 + 8)));
    }

    bool read_intern_string() {
        const std::byte* start = at_;
        std::uint32_t index = 0;
        if (!read_u32(index)) {
            return false;
        }
        if (index != parts_.strings.size()) {
            return fail(start, "interned string out of order");
        }
        start = at_;
        TextRange text;
        if (!read_text(text, limits::string_bytes_max)) {
            return false;
        }
        return parts_.strings.add(text, begin_) || fail(start, "string interned twice");
    }

    bool read_string_id(StringId& result) noexcept {
        const std::byte* start = at_;
        std::uint32_t index = 0;
        if (!read_u32(index)) {
            return false;
        }
        if (index >= parts_.strings.size()) {
            return fail(start, "undefined interned string");
        }
        result = StringId{index};
        return true;
    }

    bool read_key_body(Key& key, const std::byte* start) noexcept {
        switch (key.type) {
        case PayloadType::null:
            return true;
        case PayloadType::integer: {
            std::int64_t value = 0;
            if (!read_signed(63, value)) {
                return false;
            }
            key.body = Body::of_integer(value);
            return true;
        }
        case PayloadType::string: {
            StringId id{};
            if (!read_string_id(id)) {
                return false;
            }
            key.body.words[0] = to_index(id);
            return true;
        }
        case PayloadType::global_key:
            return read_unsigned(64, key.body.words[0]) && read_unsigned(64, key.body.words[1]);
        case PayloadType::object_id:
            return read_raw<12>(key.body);
        case PayloadType::uuid:
            return read_raw<16>(key.body);
        default:
            return fail(start, "type cannot be a primary key");
        }
    }

    /// Runs of instructions on one object share one entry of the key table, and so do runs of links
    /// to one object.
    bool read_key(KeyId& result, KeyId& latest) {
        const std::byte* start = at_;
        Key key;
        if (!read_type(key.type) || !read_key_body(key, start)) {
            return false;
        }
        if (to_index(latest) < parts_.keys.size() && parts_.keys[to_index(latest)] == key) {
            result = latest;
            return true;
        }
        make_room(parts_.keys, 2);
        result = KeyId{static_cast<std::uint32_t>(parts_.keys.size())};
        parts_.keys.push_back(key);
        latest = result;
        return true;
    }

    bool read_path(Instruction& instruction) {
        std::uint32_t count = 0;
        const std::byte* start = at_;
        if (!read_u32(count)) {
            return false;
        }
        if (count > left()) {
            return fail(start, "input ends inside a path");
        }
        instruction.path_begin = static_cast<std::uint32_t>(parts_.path_elements.size());
        instruction.path_count = count;
        for (std::uint32_t i = 0; i < count; ++i) {
            start = at_;
            std::int64_t value = 0;
            if (!read_signed(63, value)) {
                return false;
            }
            PathElement element;
            if (value < 0) {
                StringId name{};
                if (!read_string_id(name)) {
                    return false;
                }
                element = PathElement::make_name(name);
            } else if (value <= 0xFFFF'FFFF) {
                element = PathElement::make_index(static_cast<std::uint32_t>(value));
            } else {
                return fail(start, "list index does not fit 32 bits");
            }
            make_room(parts_.path_elements, 1);
            parts_.path_elements.push_back(element);
        }
        return true;
    }

    bool ends_in_index(const Instruction& instruction) const noexcept {
        return instruction.path_count != 0 && parts_.path_elements.back().is_index();
    }

    bool read_link(Body& body) {
        StringId table{};
        KeyId key{};
        if (!read_string_id(table) || !read_key(key, latest_link_)) {
            return false;
        }
        body.words = {to_index(table), to_index(key)};
        return true;
    }

    bool read_payload(Instruction& instruction) {
        const std::byte* start = at_;
        if (!read_type(instruction.type)) {
            return false;
        }
        Body& body = instruction.body;
        switch (instruction.type) {
        case PayloadType::integer: {
            std::int64_t value = 0;
            if (!read_signed(63, value)) {
                return false;
            }
            body = Body::of_integer(value);
            return true;
        }
        case PayloadType::boolean: {
            bool value = false;
            if (!read_bool(value)) {
                return false;
            }
            body.words[0] = value ? 1 : 0;
            return true;
        }
        case PayloadType::string:
            return read_text_payload(body, limits::string_bytes_max);
        case PayloadType::binary:
            return read_text_payload(body, limits::changeset_bytes_max);
        case PayloadType::timestamp:
            return read_timestamp(body);
        case PayloadType::float32:
            return read_float<std::uint32_t>(body);
        case PayloadType::float64:
            return read_float<std::uint64_t>(body);
        case PayloadType::decimal128:
            return read_decimal(body);
        case PayloadType::link:
            return read_link(body);
        case PayloadType::object_id:
            return read_raw<12>(body);
        case PayloadType::uuid:
            return read_raw<16>(body);
        case PayloadType::global_key:
            return fail(start, "a GlobalKey cannot be a value");
        default:
            return true;
        }
    }

    bool read_add_table(Instruction& instruction) noexcept {
        if (!read_kind(instruction.kind, 2, "unknown table kind")) {
            return false;
        }
        if (instruction.table_kind() == TableKind::embedded) {
            return true;
        }
        if (!read_string_id(instruction.field)) {
            return false;
        }
        const std::byte* start = at_;
        if (!read_type(instruction.type)) {
            return false;
        }
        switch (instruction.type) {
        case PayloadType::integer:
        case PayloadType::string:
        case PayloadType::object_id:
        case PayloadType::uuid:
        case PayloadType::global_key:
            return read_bool(instruction.flag);
        default:
            return fail(start, "type cannot be a primary key");
        }
    }

    bool read_add_column(Instruction& instruction) noexcept {
        if (!read_string_id(instruction.field) || !read_type(instruction.type) ||
            !read_bool(instruction.flag) || !read_collection(instruction.kind)) {
            return false;
        }
        if (instruction.type == PayloadType::link) {
            StringId target{};
            if (!read_string_id(target)) {
                return false;
            }
            instruction.body.words[0] = to_index(target);
        }
        if (instruction.collection() == CollectionKind::dictionary) {
            PayloadType key_type{};
            if (!read_type(key_type)) {
                return false;
            }
            instruction.body.words[1] = Instruction::encode_key_type(key_type);
        }
        return true;
    }

    /// What follows the path in an instruction whose last path element is the index operated on.
    bool read_array_instruction(Instruction& instruction, const std::byte* path_start) {
        if (!ends_in_index(instruction)) {
            return fail(path_start, "path of an array instruction does not end in an index");
        }
        if (instruction.op == Opcode::array_insert && !read_payload(instruction)) {
            return false;
        }
        if (instruction.op == Opcode::array_move && !read_u32(instruction.to)) {
            return false;
        }
        return read_u32(instruction.prior_size);
    }

    bool read_path_instruction(Instruction& instruction) {
        if (!read_string_id(instruction.field)) {
            return false;
        }
        const std::byte* path_start = at_;
        if (!read_path(instruction)) {
            return false;
        }
        switch (instruction.op) {
        case Opcode::update:
            if (!read_payload(instruction)) {
                return false;
            }
            return ends_in_index(instruction) ? read_u32(instruction.prior_size)
                                              : read_bool(instruction.flag);
        case Opcode::add_integer: {
            std::int64_t addend = 0;
            if (!read_signed(63, addend)) {
                return false;
            }
            instruction.body = Body::of_integer(addend);
            return true;
        }
        case Opcode::clear:
            return read_collection(instruction.kind);
        case Opcode::set_insert:
        case Opcode::set_erase:
            return read_payload(instruction);
        default:
            return read_array_instruction(instruction, path_start);
        }
    }

    bool read_instruction(Instruction& instruction) {
        if (!read_string_id(instruction.table)) {
            return false;
        }
        switch (instruction.op) {
        case Opcode::add_table:
            return read_add_table(instruction);
        case Opcode::erase_table:
            return true;
        case Opcode::add_column:
            return read_add_column(instruction);
        case Opcode::erase_column:
            return read_string_id(instruction.field);
        default:
            break;
        }
        if (!read_key(instruction.object, latest_object_)) {
            return false;
        }
        return is_path_instruction(instruction.op) ? read_path_instruction(instruction) : true;
    }

    ChangesetParts& parts_;
    KeyId latest_object_{0xFFFF'FFFF};
    KeyId latest_link_{0xFFFF'FFFF};
};

} // namespace

Result<Changeset> decode(std::vector<std::byte>&& bytes) {
    if (bytes.size() > limits::changeset_bytes_max) {
        return Error(ErrorCode::limit_exceeded, "changeset is longer than 4 GiB");
    }
    Changeset changeset;
    changeset.parts().bytes = std::move(bytes);
    Decoder decoder(changeset.parts());
    if (!decoder.run()) {
        return decoder.error();
    }
    return changeset;
}

Result<Changeset> decode(ByteView bytes) {
    return decode(std::vector<std::byte>(bytes.begin(), bytes.end()));
}

} // namespace tombolo::changeset
