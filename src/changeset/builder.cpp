#include "changeset/builder.hpp"

#include <bit>

#include <fmt/format.h>

#include "core/limits.hpp"

namespace tombolo::changeset {

/// Adds to a changeset's arrays; used by the builder for one instruction at a time. Keeps the first
/// error.
class PartsWriter {
  public:
    explicit PartsWriter(ChangesetBuilder& builder)
        : parts_(builder.changeset_.parts()), error_(builder.error_) {}

    bool failed() const noexcept { return error_.has_value(); }

    void fail(ErrorCode code, std::string message) {
        if (!error_) {
            error_.emplace(code, std::move(message));
        }
    }

    StringId intern(std::string_view text) {
        if (auto id = parts_.strings.find(text, parts_.bytes.data())) {
            return *id;
        }
        if (text.size() > limits::string_bytes_max) {
            fail(ErrorCode::limit_exceeded,
                 fmt::format("a text of {} bytes cannot stand in a changeset", text.size()));
            return {};
        }
        TextRange range = store(as_bytes(text));
        if (failed()) {
            return {};
        }
        parts_.strings.add(range, parts_.bytes.data());
        return StringId{static_cast<std::uint32_t>(parts_.strings.size() - 1)};
    }

    StringId class_name(std::string_view name) {
        if (name.size() > limits::class_name_bytes_max) {
            fail(ErrorCode::limit_exceeded, fmt::format("class name \"{}\" is longer than {} bytes",
                                                        name, limits::class_name_bytes_max));
        }
        return intern(name);
    }

    StringId property_name(std::string_view name) {
        if (name.size() > limits::property_name_bytes_max) {
            fail(ErrorCode::limit_exceeded,
                 fmt::format("property name \"{}\" is longer than {} bytes", name,
                             limits::property_name_bytes_max));
        }
        return intern(name);
    }

    KeyId key(const PrimaryKeyView& view) {
        Key key = make_key(view);
        if (!parts_.keys.empty() && parts_.keys.back() == key) {
            return KeyId{static_cast<std::uint32_t>(parts_.keys.size() - 1)};
        }
        parts_.keys.push_back(key);
        return KeyId{static_cast<std::uint32_t>(parts_.keys.size() - 1)};
    }

    void place(Instruction& instruction, const Place& place) {
        instruction.table = class_name(place.table);
        instruction.object = key(place.object);
        instruction.field = property_name(place.field);
        instruction.path_begin = static_cast<std::uint32_t>(parts_.path_elements.size());
        instruction.path_count = static_cast<std::uint32_t>(place.path.size());
        for (const PathStep& step : place.path) {
            parts_.path_elements.push_back(step.name ? PathElement::make_name(intern(*step.name))
                                                     : PathElement::make_index(step.index));
        }
    }

    void payload(Instruction& instruction, const PayloadView& value) {
        instruction.type = value.type;
        if (!is_scalar(value.type)) {
            return;
        }
        if (static_cast<std::size_t>(value.type) != value.scalar.index()) {
            fail(ErrorCode::invalid_argument, "a payload type without its value");
            return;
        }
        instruction.body =
            std::visit([this](const auto& held) { return body(held); }, value.scalar);
    }

    void add(const Instruction& instruction) {
        if (!failed()) {
            parts_.instructions.push_back(instruction);
        }
    }

  private:
    TextRange store(ByteView bytes) {
        if (bytes.size() > limits::changeset_bytes_max - parts_.bytes.size()) {
            fail(ErrorCode::limit_exceeded, "changeset is longer than 4 GiB");
            return {};
        }
        TextRange range{static_cast<std::uint32_t>(parts_.bytes.size()),
                        static_cast<std::uint32_t>(bytes.size())};
        parts_.bytes.insert(parts_.bytes.end(), bytes.begin(), bytes.end());
        return range;
    }

    Key make_key(const PrimaryKeyView& view) {
        struct Maker {
            PartsWriter& writer;
            Key operator()(std::monostate) const { return {}; }
            Key operator()(std::int64_t value) const {
                return {PayloadType::integer, Body::of_integer(value)};
            }
            Key operator()(std::string_view text) const {
                return {PayloadType::string, {{to_index(writer.intern(text)), 0}}};
            }
            Key operator()(const ObjectId& id) const {
                return {PayloadType::object_id, Body::of_bytes(id.bytes)};
            }
            Key operator()(const Uuid& id) const {
                return {PayloadType::uuid, Body::of_bytes(id.bytes)};
            }
            Key operator()(const GlobalKey& id) const {
                return {PayloadType::global_key, {{id.hi, id.lo}}};
            }
        };
        return std::visit(Maker{*this}, view);
    }

    Body text_body(ByteView bytes, std::size_t size_max) {
        if (bytes.size() > size_max) {
            fail(ErrorCode::limit_exceeded,
                 fmt::format("a value of {} bytes is longer than {}", bytes.size(), size_max));
            return {};
        }
        TextRange range = store(bytes);
        return {{range.offset, range.size}};
    }

    Body body(std::monostate) { return {}; }
    Body body(std::int64_t value) { return Body::of_integer(value); }
    Body body(bool value) { return {{value ? 1U : 0U, 0}}; }
    Body body(std::string_view text) { return text_body(as_bytes(text), limits::string_bytes_max); }
    Body body(const BinaryView& view) { return text_body(view.bytes, limits::binary_bytes_max); }
    Body body(const Timestamp& time) {
        Body result = Body::of_integer(time.seconds());
        result.words[1] = std::bit_cast<std::uint64_t>(std::int64_t{time.nanoseconds()});
        return result;
    }
    Body body(float value) { return {{std::bit_cast<std::uint32_t>(value), 0}}; }
    Body body(double value) { return {{std::bit_cast<std::uint64_t>(value), 0}}; }
    Body body(const Decimal128& value) { return {{value.high, value.low}}; }
    Body body(const LinkView& link) {
        return {{to_index(class_name(link.class_name)), to_index(key(link.key))}};
    }
    Body body(const ObjectId& id) { return Body::of_bytes(id.bytes); }
    Body body(const Uuid& id) { return Body::of_bytes(id.bytes); }

    ChangesetParts& parts_;
    std::optional<Error>& error_;
};

namespace {

bool ends_in_index(const Place& place) {
    return !place.path.empty() && !place.path.back().name;
}

Instruction instruction_of(Opcode op) {
    Instruction instruction;
    instruction.op = op;
    return instruction;
}

bool can_be_stored(PayloadType type) {
    return type != PayloadType::global_key;
}

bool can_be_in_set(PayloadType type) {
    return is_scalar(type);
}

bool can_be_key_type(PayloadType type) {
    return type == PayloadType::integer || type == PayloadType::string ||
           type == PayloadType::object_id || type == PayloadType::uuid ||
           type == PayloadType::global_key;
}

} // namespace

void ChangesetBuilder::add_table(std::string_view table, TableKind kind, std::string_view key_field,
                                 PayloadType key_type, bool key_nullable) {
    PartsWriter writer(*this);
    if (kind == TableKind::embedded || !can_be_key_type(key_type)) {
        writer.fail(ErrorCode::invalid_argument,
                    fmt::format("class \"{}\" cannot have a primary key of type {}", table,
                                payload_type_name(key_type)));
    }
    Instruction instruction = instruction_of(Opcode::add_table);
    instruction.table = writer.class_name(table);
    instruction.kind = static_cast<std::uint8_t>(kind);
    instruction.field = writer.property_name(key_field);
    instruction.type = key_type;
    instruction.flag = key_nullable;
    writer.add(instruction);
}

void ChangesetBuilder::add_embedded_table(std::string_view table) {
    PartsWriter writer(*this);
    Instruction instruction = instruction_of(Opcode::add_table);
    instruction.table = writer.class_name(table);
    instruction.kind = static_cast<std::uint8_t>(TableKind::embedded);
    writer.add(instruction);
}

void ChangesetBuilder::erase_table(std::string_view table) {
    PartsWriter writer(*this);
    Instruction instruction = instruction_of(Opcode::erase_table);
    instruction.table = writer.class_name(table);
    writer.add(instruction);
}

void ChangesetBuilder::add_column(std::string_view table, std::string_view field,
                                  const ColumnDefinition& definition) {
    PartsWriter writer(*this);
    if (!is_scalar(definition.type)) {
        writer.fail(ErrorCode::invalid_argument,
                    fmt::format("property \"{}.{}\" cannot have type {}", table, field,
                                payload_type_name(definition.type)));
    }
    Instruction instruction = instruction_of(Opcode::add_column);
    instruction.table = writer.class_name(table);
    instruction.field = writer.property_name(field);
    instruction.type = definition.type;
    instruction.flag = definition.nullable;
    instruction.kind = static_cast<std::uint8_t>(definition.collection);
    if (definition.type == PayloadType::link) {
        instruction.body.words[0] = to_index(writer.class_name(definition.link_target));
    }
    if (definition.collection == CollectionKind::dictionary) {
        instruction.body.words[1] = Instruction::encode_key_type(definition.key_type);
    }
    writer.add(instruction);
}

void ChangesetBuilder::erase_column(std::string_view table, std::string_view field) {
    PartsWriter writer(*this);
    Instruction instruction = instruction_of(Opcode::erase_column);
    instruction.table = writer.class_name(table);
    instruction.field = writer.property_name(field);
    writer.add(instruction);
}

void ChangesetBuilder::create_object(std::string_view table, const PrimaryKeyView& object) {
    PartsWriter writer(*this);
    Instruction instruction = instruction_of(Opcode::create_object);
    instruction.table = writer.class_name(table);
    instruction.object = writer.key(object);
    writer.add(instruction);
}

void ChangesetBuilder::erase_object(std::string_view table, const PrimaryKeyView& object) {
    PartsWriter writer(*this);
    Instruction instruction = instruction_of(Opcode::erase_object);
    instruction.table = writer.class_name(table);
    instruction.object = writer.key(object);
    writer.add(instruction);
}

void ChangesetBuilder::update(const Place& place, const PayloadView& value, bool is_default) {
    PartsWriter writer(*this);
    if (ends_in_index(place) || !can_be_stored(value.type)) {
        writer.fail(ErrorCode::invalid_argument,
                    fmt::format("update of \"{}.{}\": the path ends in an index, or the value "
                                "cannot be stored",
                                place.table, place.field));
    }
    Instruction instruction = instruction_of(Opcode::update);
    writer.place(instruction, place);
    writer.payload(instruction, value);
    instruction.flag = is_default;
    writer.add(instruction);
}

void ChangesetBuilder::update_element(const Place& place, const PayloadView& value,
                                      std::uint32_t prior_size) {
    PartsWriter writer(*this);
    if (!ends_in_index(place) || !can_be_stored(value.type) || value.type == PayloadType::erased) {
        writer.fail(ErrorCode::invalid_argument,
                    fmt::format("update of an element of \"{}.{}\": the path does not end in an "
                                "index, or the value cannot be stored",
                                place.table, place.field));
    }
    Instruction instruction = instruction_of(Opcode::update);
    writer.place(instruction, place);
    writer.payload(instruction, value);
    instruction.prior_size = prior_size;
    writer.add(instruction);
}

void ChangesetBuilder::add_integer(const Place& place, std::int64_t addend) {
    PartsWriter writer(*this);
    Instruction instruction = instruction_of(Opcode::add_integer);
    writer.place(instruction, place);
    instruction.body = Body::of_integer(addend);
    writer.add(instruction);
}

void ChangesetBuilder::array_insert(const Place& place, const PayloadView& value,
                                    std::uint32_t prior_size) {
    PartsWriter writer(*this);
    if (!ends_in_index(place) || !can_be_stored(value.type) || value.type == PayloadType::erased) {
        writer.fail(ErrorCode::invalid_argument,
                    fmt::format("insert into \"{}.{}\": the path does not end in an index, or the "
                                "value cannot be stored",
                                place.table, place.field));
    }
    Instruction instruction = instruction_of(Opcode::array_insert);
    writer.place(instruction, place);
    writer.payload(instruction, value);
    instruction.prior_size = prior_size;
    writer.add(instruction);
}

void ChangesetBuilder::array_move(const Place& place, std::uint32_t to, std::uint32_t prior_size) {
    PartsWriter writer(*this);
    if (!ends_in_index(place)) {
        writer.fail(ErrorCode::invalid_argument,
                    fmt::format("move in \"{}.{}\": the path does not end in an index", place.table,
                                place.field));
    }
    Instruction instruction = instruction_of(Opcode::array_move);
    writer.place(instruction, place);
    instruction.to = to;
    instruction.prior_size = prior_size;
    writer.add(instruction);
}

void ChangesetBuilder::array_erase(const Place& place, std::uint32_t prior_size) {
    PartsWriter writer(*this);
    if (!ends_in_index(place)) {
        writer.fail(ErrorCode::invalid_argument,
                    fmt::format("erase in \"{}.{}\": the path does not end in an index",
                                place.table, place.field));
    }
    Instruction instruction = instruction_of(Opcode::array_erase);
    writer.place(instruction, place);
    instruction.prior_size = prior_size;
    writer.add(instruction);
}

void ChangesetBuilder::clear(const Place& place, CollectionKind kind) {
    PartsWriter writer(*this);
    Instruction instruction = instruction_of(Opcode::clear);
    writer.place(instruction, place);
    instruction.kind = static_cast<std::uint8_t>(kind);
    writer.add(instruction);
}

void ChangesetBuilder::set_insert(const Place& place, const PayloadView& value) {
    PartsWriter writer(*this);
    if (!can_be_in_set(value.type)) {
        writer.fail(ErrorCode::invalid_argument,
                    fmt::format("{} cannot stand in set \"{}.{}\"", payload_type_name(value.type),
                                place.table, place.field));
    }
    Instruction instruction = instruction_of(Opcode::set_insert);
    writer.place(instruction, place);
    writer.payload(instruction, value);
    writer.add(instruction);
}

void ChangesetBuilder::set_erase(const Place& place, const PayloadView& value) {
    PartsWriter writer(*this);
    if (!can_be_in_set(value.type)) {
        writer.fail(ErrorCode::invalid_argument,
                    fmt::format("{} cannot stand in set \"{}.{}\"", payload_type_name(value.type),
                                place.table, place.field));
    }
    Instruction instruction = instruction_of(Opcode::set_erase);
    writer.place(instruction, place);
    writer.payload(instruction, value);
    writer.add(instruction);
}

void ChangesetBuilder::append(const Changeset& source, const Instruction& instruction) {
    PartsWriter writer(*this);
    Instruction copy = instruction;
    copy.table = writer.class_name(source.table(instruction));
    bool has_field =
        is_path_instruction(instruction.op) || instruction.op == Opcode::add_column ||
        instruction.op == Opcode::erase_column ||
        (instruction.op == Opcode::add_table && instruction.table_kind() != TableKind::embedded);
    if (has_field) {
        copy.field = writer.property_name(source.field(instruction));
    }
    if (instruction.op == Opcode::add_column && instruction.type == PayloadType::link) {
        copy.body.words[0] = to_index(writer.class_name(source.link_target(instruction)));
    }
    if (!is_schema_instruction(instruction.op)) {
        copy.object = writer.key(source.object(instruction));
    }
    if (is_path_instruction(instruction.op)) {
        Place place{source.table(instruction), source.object(instruction),
                    source.field(instruction)};
        for (const PathElement& element : source.path(instruction)) {
            place.path.push_back(element.is_index() ? PathStep(element.index())
                                                    : PathStep(source.string(element.name())));
        }
        writer.place(copy, place);
    }
    if (has_payload(instruction.op) && is_scalar(instruction.type)) {
        writer.payload(copy, source.scalar(instruction));
    }
    writer.add(copy);
}

Result<Changeset> ChangesetBuilder::finish() {
    Changeset changeset = std::move(changeset_);
    std::optional<Error> error = std::move(error_);
    changeset_ = {};
    error_.reset();
    if (error) {
        return *error;
    }
    return changeset;
}

} // namespace tombolo::changeset
