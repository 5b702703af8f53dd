#include "changeset/merge_rules.hpp"

#include <array>
#include <bit>
#include <limits>
#include <utility>

#include "core/decimal128.hpp"

namespace tombolo::changeset {

/// The matrix of 4.6: the rule of each pair of opcodes, lower opcode first; nullptr where the pair
/// commutes.
struct RuleTable {
    using Rule = void (MergeRules::*)(Item& left, Item& right);
    using Rows = std::array<std::array<Rule, opcode_count>, opcode_count>;

    static constexpr Rows make() noexcept {
        Rows matrix{};
        auto set = [&matrix](Opcode left, Opcode right, Rule rule) {
            matrix[static_cast<std::size_t>(left)][static_cast<std::size_t>(right)] = rule;
        };
        using enum Opcode;
        set(add_table, add_table, &MergeRules::add_table_add_table);             // R1
        set(add_table, erase_table, &MergeRules::add_table_erase_table);         // R2
        set(erase_table, erase_table, &MergeRules::erase_table_erase_table);     // R3
        set(erase_table, add_column, &MergeRules::erase_table_add_column);       // R4
        set(create_object, erase_object, &MergeRules::create_erase);             // R5
        set(erase_object, erase_object, &MergeRules::erase_erase);               // R6
        set(update, update, &MergeRules::update_update_rule);                    // R7
        set(update, add_integer, &MergeRules::update_add_integer);               // R8
        set(update, erase_column, &MergeRules::update_erase_column);             // R9
        set(update, array_insert, &MergeRules::update_array_insert);             // R10
        set(update, array_move, &MergeRules::update_array_move);                 // R11
        set(update, array_erase, &MergeRules::update_array_erase);               // R12
        set(update, clear, &MergeRules::update_clear);                           // R13
        set(add_integer, clear, &MergeRules::add_integer_clear);                 // R14
        set(add_column, add_column, &MergeRules::add_column_add_column);         // R15
        set(add_column, erase_column, &MergeRules::add_column_erase_column);     // R16
        set(erase_column, erase_column, &MergeRules::erase_column_erase_column); // R17
        set(array_insert, array_insert, &MergeRules::array_insert_array_insert); // R18
        set(array_insert, array_move, &MergeRules::array_insert_array_move);     // R19
        set(array_insert, array_erase, &MergeRules::array_insert_array_erase);   // R20
        set(array_move, array_move, &MergeRules::array_move_array_move);         // R21
        set(array_move, array_erase, &MergeRules::array_move_array_erase);       // R22
        set(array_erase, array_erase, &MergeRules::array_erase_array_erase);     // R23
        set(array_insert, clear, &MergeRules::array_clear);                      // E7
        set(array_move, clear, &MergeRules::array_clear);                        // E7
        set(array_erase, clear, &MergeRules::array_clear);                       // E7
        set(clear, clear, &MergeRules::clear_clear);                             // R24
        set(clear, set_insert, &MergeRules::clear_set);                          // R25
        set(clear, set_erase, &MergeRules::clear_set);                           // R26
        set(set_insert, set_insert, &MergeRules::set_set);                       // R27
        set(set_insert, set_erase, &MergeRules::set_set);                        // R28
        set(set_erase, set_erase, &MergeRules::set_set);                         // R29
        return matrix;
    }

    static const Rows rows;
};

const RuleTable::Rows RuleTable::rows = RuleTable::make();

bool MergeRules::same_payload(const Item& left, const Item& right) const noexcept {
    if (left.type != right.type) {
        return false;
    }
    const Body& a = left.body;
    const Body& b = right.body;
    switch (left.type) {
    case PayloadType::string:
    case PayloadType::binary:
        return state_.payload_text(left) == state_.payload_text(right);
    case PayloadType::float32:
        return std::bit_cast<float>(static_cast<std::uint32_t>(a.words[0])) ==
               std::bit_cast<float>(static_cast<std::uint32_t>(b.words[0]));
    case PayloadType::float64:
        return std::bit_cast<double>(a.words[0]) == std::bit_cast<double>(b.words[0]);
    case PayloadType::decimal128:
        return compare(Decimal128{a.words[0], a.words[1]}, Decimal128{b.words[0], b.words[1]}) == 0;
    default:
        return a == b;
    }
}

void MergeRules::meet(Item& major, Item& minor) {
    if (major.length != minor.length) {
        bool major_is_outer = major.length < minor.length;
        Item& outer = major_is_outer ? major : minor;
        Item& inner = major_is_outer ? minor : major;
        nested(outer, inner);
        if (inner.dead) {
            return;
        }
    }
    regular(major, minor);
}

void MergeRules::regular(Item& major, Item& minor) {
    bool major_first = major.op <= minor.op;
    Item& left = major_first ? major : minor;
    Item& right = major_first ? minor : major;
    RuleTable::Rule rule =
        RuleTable::rows[static_cast<std::size_t>(left.op)][static_cast<std::size_t>(right.op)];
    if (rule != nullptr) {
        (this->*rule)(left, right);
    }
}

Error MergeRules::error() const {
    auto describe = [this](const Item& item) {
        const Changeset& changeset = *state_.inputs(item.side)[item.input].changeset;
        return std::string(item.side == Side::ours ? "ours " : "theirs ") +
               std::to_string(item.input) + ": " +
               to_text(changeset, changeset.instructions()[item.source]);
    };
    return Error(ErrorCode::merge_error, std::string("cannot merge: ") + failure_,
                 describe(*failed_left_) + " | " + describe(*failed_right_));
}

bool MergeRules::admit_meetings(std::size_t rows, std::size_t columns) noexcept {
    std::uint64_t left = options_.meetings_max - meetings_;
    if (rows != 0 && columns > left / rows) {
        over_limit_ = true;
        return false;
    }
    meetings_ += std::uint64_t{rows} * columns;
    return true;
}

void MergeRules::fail(const char* reason, const Item& left, const Item& right) noexcept {
    if (failure_ == nullptr) {
        failure_ = reason;
        failed_left_ = &left;
        failed_right_ = &right;
    }
}

bool MergeRules::require(bool condition, const char* reason, const Item& left,
                         const Item& right) noexcept {
    if (!condition) {
        fail(reason, left, right);
    }
    return condition;
}

bool MergeRules::require_room(const Item& left, const Item& right) noexcept {
    constexpr std::uint32_t most = std::numeric_limits<std::uint32_t>::max();
    return require(left.last_index() != most && right.last_index() != most && left.to != most &&
                       right.to != most && left.prior_size != most && right.prior_size != most,
                   "a list would outgrow 32-bit indices", left, right);
}

void MergeRules::report(KnownEdge edge, Item& outer) {
    auto bit = static_cast<std::uint8_t>(1U << static_cast<unsigned>(edge));
    if ((outer.edges_reported & bit) != 0) {
        return;
    }
    outer.edges_reported = static_cast<std::uint8_t>(outer.edges_reported | bit);
    const Changeset& changeset = *state_.inputs(outer.side)[outer.input].changeset;
    const Instruction& instruction = changeset.instructions()[outer.source];
    EdgeMet met;
    met.edge = edge;
    met.table = changeset.table(instruction);
    met.object = to_owned(changeset.object(instruction));
    met.field = changeset.field(instruction);
    for (std::uint32_t i = 0; i < outer.path_count; ++i) {
        if (is_name(outer.path[i])) {
            met.path.emplace_back(
                std::string(state_.text(static_cast<Symbol>(outer.path[i] & 0xFFFF'FFFF))));
        } else {
            met.path.emplace_back(static_cast<std::uint32_t>(outer.path[i]));
        }
    }
    edges_.push_back(std::move(met));
}

} // namespace tombolo::changeset
