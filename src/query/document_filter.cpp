#include "query/document_filter.hpp"

#include <bit>
#include <cstring>
#include <limits>

#include "query/condition_walk.hpp"

namespace tombolo::query {
namespace {

constexpr std::size_t fields_max = 64;
constexpr std::int64_t int_min = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t int_max = std::numeric_limits<std::int64_t>::max();

std::uint64_t load_word(const std::byte* at) noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    return word;
}

/// The word with everything behind its first zero byte cleared; `length` is that byte's index,
/// or 8.
std::uint64_t cut_at_nul(std::uint64_t word, std::size_t& length) noexcept {
    constexpr std::uint64_t ones = 0x0101010101010101;
    const std::uint64_t zeros = (word - ones) & ~word & (ones << 7);
    if (zeros == 0) {
        length = 8;
        return word;
    }
    length = static_cast<std::size_t>(std::countr_zero(zeros)) / 8;
    return length == 0 ? 0 : word & (~std::uint64_t{0} >> (64 - 8 * length));
}

std::uint64_t prefix_of(std::string_view name) noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, name.data(), std::min<std::size_t>(name.size(), 8));
    return word;
}

bool is_integer(BsonType type) noexcept {
    return type == BsonType::int32 || type == BsonType::int64;
}

std::int64_t integer_at(const BsonCell& cell) noexcept {
    if (cell.type == BsonType::int32) {
        std::int32_t value = 0;
        std::memcpy(&value, cell.value, sizeof value);
        return value;
    }
    std::int64_t value = 0;
    std::memcpy(&value, cell.value, sizeof value);
    return value;
}

/// A property of the object compared as a whole with one constant, or looked up among many.
bool is_plain(const Comparison& comparison) noexcept {
    const auto* path = std::get_if<Path>(&comparison.left.node);
    const auto* constants = std::get_if<Constants>(&comparison.right.node);
    return comparison.mode == ComparisonMode::values && path && path->steps.size() == 1 &&
           path->steps[0].kind == StepKind::property && path->ending == Ending::value &&
           constants && (!constants->is_list() || !comparison.lookup.empty());
}

} // namespace

DocumentFilter::DocumentFilter(const Query& query, const BsonLookup* lookup)
    : query_(query), accessor_(lookup), evaluator_(accessor_) {
    slow_ = query.root_properties.size() > fields_max;
    if (slow_) {
        return;
    }
    for (const schema::Property* property : query.root_properties) {
        Field field;
        field.name = property->name;
        field.prefix = prefix_of(field.name);
        field.property = property;
        fields_.push_back(std::move(field));
    }
    const auto* group = std::get_if<Group>(&query.condition.node);
    if (group && group->op == GroupOperator::conjunction) {
        for (const Condition& operand : group->operands) {
            add_conjunct(operand);
        }
    } else {
        add_conjunct(query.condition);
    }
    // Fields that only SORT and DISTINCT read are not waited for.
    std::uint64_t used = 0;
    for (const Condition* condition : rest_) {
        used |= read_fields(*condition).slots;
    }
    const BsonObject nothing{{}, query.object_class, nullptr, 0};
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        used |= fields_[i].tests.empty() ? 0 : std::uint64_t{1} << i;
        const BsonCell missing{nullptr, 0, BsonType::missing, false, fields_[i].property};
        for (const Test& test : fields_[i].tests) {
            fields_[i].matches_when_missing =
                fields_[i].matches_when_missing && run(test, nothing, missing);
        }
    }
    all_fields_ = used;
}

void DocumentFilter::add_conjunct(const Condition& condition) {
    if (const bool* constant = std::get_if<bool>(&condition.node)) {
        never_ = never_ || !*constant;
        return;
    }
    const FieldsRead fields = read_fields(condition);
    if (fields.needs_object || std::popcount(fields.slots) != 1) {
        rest_.push_back(&condition);
        return;
    }
    fields_[static_cast<std::size_t>(std::countr_zero(fields.slots))].tests.push_back(
        compile(condition));
}

/// Integer comparisons become one range test, which has no branch for the operator.
bool DocumentFilter::compile_integer(const Comparison& comparison, Test& test) {
    const Item& constant = std::get<Constants>(comparison.right.node).items().front();
    const auto* value = std::get_if<std::int64_t>(&constant.value);
    if (!value || comparison.ignore_case) {
        return false;
    }
    test.kind = TestKind::integer_range;
    test.low = int_min;
    test.high = int_max;
    switch (comparison.op) {
    case ComparisonOperator::not_equal:
        test.negated = true;
        [[fallthrough]];
    case ComparisonOperator::equal:
        test.low = *value;
        test.high = *value;
        return true;
    case ComparisonOperator::less:
        test.high = *value == int_min ? int_min : *value - 1;
        return *value != int_min;
    case ComparisonOperator::less_or_equal:
        test.high = *value;
        return true;
    case ComparisonOperator::greater:
        test.low = *value == int_max ? int_max : *value + 1;
        return *value != int_max;
    case ComparisonOperator::greater_or_equal:
        test.low = *value;
        return true;
    default:
        return false;
    }
}

DocumentFilter::Test DocumentFilter::compile(const Condition& condition) {
    Test test;
    test.condition = &condition;
    const auto* comparison = std::get_if<Comparison>(&condition.node);
    if (!comparison || !is_plain(*comparison)) {
        return test;
    }
    test.comparison = comparison;
    if (!comparison->lookup.empty()) {
        test.kind = TestKind::lookup;
        return test;
    }
    test.kind = TestKind::relation;
    Test fast = test;
    if (compile_integer(*comparison, fast)) {
        return fast;
    }
    const Item& constant = std::get<Constants>(comparison->right.node).items().front();
    const auto* text = std::get_if<std::string_view>(&constant.value);
    const bool equality = comparison->op == ComparisonOperator::equal ||
                          comparison->op == ComparisonOperator::not_equal;
    if (text && equality && !comparison->ignore_case) {
        test.kind = TestKind::string_equality;
        test.text = *text;
        test.negated = comparison->op == ComparisonOperator::not_equal;
    }
    return test;
}

bool DocumentFilter::run_relation(const Test& test, const BsonCell& cell) const {
    const Item item = accessor_.item(cell);
    if (test.kind == TestKind::lookup) {
        return is_in_lookup(test.comparison->lookup, item);
    }
    return relate(test.comparison->op, test.comparison->ignore_case, item,
                  std::get_if<Constants>(&test.comparison->right.node)->items().front());
}

bool DocumentFilter::run(const Test& test, const BsonObject& object, const BsonCell& cell) const {
    switch (test.kind) {
    case TestKind::integer_range:
        if (is_integer(cell.type)) {
            const std::int64_t value = integer_at(cell);
            return (value >= test.low && value <= test.high) != test.negated;
        }
        return run_relation(test, cell);
    case TestKind::string_equality:
        // A declared link holds its target's key as a string: only item() tells it from a string.
        if (cell.type == BsonType::string && cell.property->type == schema::PropertyType::string) {
            const std::string_view value(reinterpret_cast<const char*>(cell.value) + 4,
                                         cell.size - 5);
            return (value == test.text) != test.negated;
        }
        return run_relation(test, cell);
    case TestKind::relation:
    case TestKind::lookup:
        return run_relation(test, cell);
    case TestKind::condition:
        break;
    }
    return evaluator_.matches(*test.condition, object);
}

const DocumentFilter::Field* DocumentFilter::find_field(const std::byte* name, std::size_t length,
                                                        std::uint64_t prefix) const noexcept {
    for (const Field& field : fields_) {
        if (field.prefix == prefix && field.name.size() == length &&
            (length <= 8 || std::memcmp(name + 8, field.name.data() + 8, length - 8) == 0)) {
            return &field;
        }
    }
    return nullptr;
}

bool DocumentFilter::matches_slowly(ByteView document) const {
    return evaluator_.matches(query_.condition,
                              BsonObject{document, query_.object_class, nullptr, 0});
}

bool DocumentFilter::finish(ByteView document, const BsonCell* slots, std::uint64_t read) const {
    for (std::uint64_t unread = all_fields_ & ~read; unread != 0; unread &= unread - 1) {
        if (!fields_[static_cast<std::size_t>(std::countr_zero(unread))].matches_when_missing) {
            return false;
        }
    }
    for (const Condition* condition : rest_) {
        if (!evaluator_.matches(*condition,
                                BsonObject{document, query_.object_class, slots, read})) {
            return false;
        }
    }
    return true;
}

bool DocumentFilter::matches(ByteView document) const {
    if (never_) {
        return false;
    }
    std::size_t document_size = 0;
    if (slow_ ||
        !bson_value_size(BsonType::document, document.data(), document.size(), document_size)) {
        return matches_slowly(document);
    }
    // Uninitialised on purpose: `read` says which are set.
    union Slots {
        Slots() {}
        BsonCell cells[fields_max];
    } slots;
    std::uint64_t read = 0;
    const std::byte* at = document.data() + 4;
    const std::byte* const end = document.data() + document_size;
    while (at < end && *at != std::byte{0} && (all_fields_ & ~read) != 0) {
        const auto type = static_cast<BsonType>(*at++);
        std::size_t length = 0;
        std::uint64_t prefix = 0;
        const auto room = static_cast<std::size_t>(end - at);
        if (room >= 8) {
            prefix = cut_at_nul(load_word(at), length);
        }
        if (room < 8 || length == 8) {
            const void* nul = std::memchr(at, 0, room);
            if (!nul) {
                break;
            }
            length = static_cast<std::size_t>(static_cast<const std::byte*>(nul) - at);
            prefix = prefix_of({reinterpret_cast<const char*>(at), length});
        }
        const std::byte* value = at + length + 1;
        std::size_t size = 0;
        if (value > end ||
            !bson_value_size(type, value, static_cast<std::size_t>(end - value), size)) {
            break;
        }
        if (const Field* field = find_field(at, length, prefix)) {
            const auto slot = static_cast<std::size_t>(field - fields_.data());
            const std::uint64_t bit = std::uint64_t{1} << slot;
            if ((read & bit) == 0) {
                slots.cells[slot] = {value, static_cast<std::uint32_t>(size), type, false,
                                     field->property};
                read |= bit;
                const BsonObject object{document, query_.object_class, slots.cells, read};
                for (const Test& test : field->tests) {
                    if (!run(test, object, slots.cells[slot])) {
                        return false;
                    }
                }
            }
        }
        at = value + size;
    }
    return finish(document, slots.cells, read);
}

} // namespace tombolo::query
