// Expansions inside MongoDB's own operators: {$all: ["%%user.id"]}, {$elemMatch: {id:
// "%%user.id"}}.

#include <algorithm>
#include <array>

#include "server/rules/expression_tree.hpp"

namespace tombolo::rules::detail {

using mql::BsonElement;
using mql::BsonView;

namespace {

class Filler {
  public:
    Filler(const std::function<Filling(std::string_view)>& value_of, Filled& out)
        : value_of_(value_of), out_(out) {}

    // {operator: operand, ...}
    void tests(mql::BsonDocumentView spec, mql::BsonWriter& writer) {
        for (const BsonElement& element : spec) {
            const bool compares =
                std::find(comparing.begin(), comparing.end(), element.key) != comparing.end();
            if (!has_expansion(element.value)) {
                writer.append(element.key, element.value);
            } else if (compares) {
                operand(element.key, element.value, writer);
            } else if (element.key == "$elemMatch" && element.value.is_document()) {
                writer.begin_document(element.key);
                inner(element.value.as_document(), writer);
                writer.end();
            } else if (element.key == "$not" && element.value.is_document()) {
                writer.begin_document(element.key);
                tests(element.value.as_document(), writer);
                writer.end();
            } else {
                out_.is_misplaced = true;
            }
        }
    }

  private:
    static constexpr std::array<std::string_view, 9> comparing = {
        "$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$all"};

    static bool is_logical(std::string_view key) noexcept {
        return key == "$and" || key == "$or" || key == "$nor";
    }

    // What an element is asked: operators on itself, or a filter on its fields.
    void inner(mql::BsonDocumentView spec, mql::BsonWriter& writer) {
        const std::string_view first = spec.empty() ? "" : (*spec.begin()).key;
        if (first.starts_with('$') && !is_logical(first)) {
            tests(spec, writer);
        } else {
            filter(spec, writer);
        }
    }

    void filter(mql::BsonDocumentView spec, mql::BsonWriter& writer) {
        for (const BsonElement& element : spec) {
            const BsonView value = element.value;
            if (!has_expansion(value)) {
                writer.append(element.key, value);
            } else if (is_logical(element.key) && value.is_array()) {
                writer.begin_array(element.key);
                for (const BsonElement& one : value.as_document()) {
                    if (!one.value.is_document()) {
                        out_.is_misplaced = true;
                        continue;
                    }
                    writer.begin_document({});
                    filter(one.value.as_document(), writer);
                    writer.end();
                }
                writer.end();
            } else if (element.key.starts_with('$') || element.key.starts_with('%')) {
                out_.is_misplaced = true;
            } else {
                writer.begin_document(element.key);
                field(value, writer);
                writer.end();
            }
        }
    }

    // A value to be equal to, or operators. As the operand of $eq a value is never an operator.
    void field(BsonView value, mql::BsonWriter& writer) {
        const bool has_operators = value.is_document() && !value.as_document().empty() &&
                                   (*value.as_document().begin()).key.starts_with('$');
        if (has_operators) {
            tests(value.as_document(), writer);
        } else {
            operand("$eq", value, writer);
        }
    }

    void operand(std::string_view key, BsonView value, mql::BsonWriter& writer) {
        if (value.is_string()) {
            Filling filling = value_of_(value.as_string());
            out_.is_unknown = out_.is_unknown || !filling.is_known;
            const bool is_list = key == "$in" || key == "$nin" || key == "$all";
            if (is_list && !filling.value.view().is_array()) {
                out_.is_unknown = true; // a list is asked for, and there is none
                writer.begin_array(key);
                writer.end();
            } else {
                writer.append(key, filling.value);
            }
            return;
        }
        if (!value.is_array()) {
            out_.is_misplaced = true; // inside a document that is compared
            return;
        }
        writer.begin_array(key);
        for (const BsonElement& one : value.as_document()) {
            const bool expands = one.value.is_string() && is_expansion(one.value.as_string());
            if (!expands) {
                out_.is_misplaced = out_.is_misplaced || has_expansion(one.value);
                writer.append({}, one.value);
                continue;
            }
            Filling filling = value_of_(one.value.as_string());
            out_.is_unknown = out_.is_unknown || !filling.is_known;
            // As an element of such a list a regular expression would be matched, not compared.
            out_.is_unknown =
                out_.is_unknown || filling.value.view().type() == mql::BsonType::regex;
            writer.append({}, filling.value);
        }
        writer.end();
    }

    const std::function<Filling(std::string_view)>& value_of_;
    Filled& out_;
};

} // namespace

bool is_expansion(std::string_view text) noexcept {
    return text.starts_with("%%");
}

bool has_expansion(BsonView value) {
    if (value.is_string()) {
        return is_expansion(value.as_string());
    }
    if (!value.is_container()) {
        return false;
    }
    for (const BsonElement& element : value.as_document()) {
        if (has_expansion(element.value)) {
            return true;
        }
    }
    return false;
}

Filled fill_expansions(const mql::BsonDocument& tests,
                       const std::function<Filling(std::string_view)>& value_of) {
    Filled out;
    mql::BsonWriter writer;
    Filler(value_of, out).tests(tests.view(), writer);
    out.tests = std::move(writer).finish();
    return out;
}

} // namespace tombolo::rules::detail
