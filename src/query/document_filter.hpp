#pragma once

// A bound query compiled to one pass over a BSON document.
//
// The query's conjuncts are sorted by the fields they read. A conjunct that reads one field is
// decided when the scan meets that field, a false one ends the scan, and the scan ends when every
// field has been met; only conjuncts over several fields wait for the end. Field names are told
// apart by their length and first eight bytes. Nothing is allocated for a document.
//
// SORT, DISTINCT and LIMIT are not looked at.
//
// Thread-safety: matches may be called from several threads. Borrows the query, its schema and the
// lookup.

#include <cstdint>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "query/bound.hpp"
#include "query/bson_accessor.hpp"
#include "query/evaluator.hpp"

namespace tombolo::query {

class DocumentFilter {
  public:
    explicit DocumentFilter(const Query& query, const BsonLookup* lookup = nullptr);
    DocumentFilter(const DocumentFilter&) = delete;
    DocumentFilter& operator=(const DocumentFilter&) = delete;

    bool matches(ByteView document) const;

  private:
    enum class TestKind : std::uint8_t {
        integer_range,   ///< low <= value <= high
        string_equality, ///< value == text
        relation,        ///< any scalar against a constant
        lookup,          ///< one of many constants
        condition,       ///< anything else that reads this field alone
    };

    /// One conjunct on one field.
    struct Test {
        TestKind kind = TestKind::condition;
        bool negated = false;
        std::int64_t low = 0;
        std::int64_t high = 0;
        std::string_view text;
        const Comparison* comparison = nullptr;
        const Condition* condition = nullptr;
    };

    struct Field {
        std::string name;
        std::uint64_t prefix = 0; ///< the first eight bytes of the name and its NUL, zero beyond
        const schema::Property* property = nullptr;
        std::vector<Test> tests;
        bool matches_when_missing = true;
    };

    void add_conjunct(const Condition& condition);
    static Test compile(const Condition& condition);
    static bool compile_integer(const Comparison& comparison, Test& test);
    bool run(const Test& test, const BsonObject& object, const BsonCell& cell) const;
    bool run_relation(const Test& test, const BsonCell& cell) const;
    bool finish(ByteView document, const BsonCell* slots, std::uint64_t read) const;
    bool matches_slowly(ByteView document) const;
    const Field* find_field(const std::byte* name, std::size_t length,
                            std::uint64_t prefix) const noexcept;

    const Query& query_;
    BsonAccessor accessor_;
    Evaluator<BsonAccessor> evaluator_;
    std::vector<Field> fields_; ///< by Step::slot
    std::vector<const Condition*> rest_;
    std::uint64_t all_fields_ = 0;
    bool slow_ = false; ///< more fields than bits
    bool never_ = false;
};

} // namespace tombolo::query
