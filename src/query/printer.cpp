#include "query/printer.hpp"

#include <fmt/format.h>

#include "core/bytes.hpp"
#include "query/literal_text.hpp"

namespace tombolo::query {

using namespace syntax;

const char* syntax::operator_text(ComparisonOperator op) noexcept {
    switch (op) {
    case ComparisonOperator::equal:
        return "==";
    case ComparisonOperator::not_equal:
        return "!=";
    case ComparisonOperator::less:
        return "<";
    case ComparisonOperator::less_or_equal:
        return "<=";
    case ComparisonOperator::greater:
        return ">";
    case ComparisonOperator::greater_or_equal:
        return ">=";
    case ComparisonOperator::in:
        return "IN";
    case ComparisonOperator::begins_with:
        return "BEGINSWITH";
    case ComparisonOperator::ends_with:
        return "ENDSWITH";
    case ComparisonOperator::contains:
        return "CONTAINS";
    case ComparisonOperator::like:
        return "LIKE";
    case ComparisonOperator::text:
        return "TEXT";
    }
    return "?";
}

namespace {

class Printer {
  public:
    std::string take() { return std::move(out_); }

    void query(const Query& query) {
        predicate(query.predicate);
        for (const Suffix& next : query.suffixes) {
            out_ += ' ';
            suffix(next);
        }
    }

    void predicate(const Predicate& node) {
        std::visit([this](const auto& alternative) { print(alternative); }, node.node);
    }

  private:
    template <class Range, class Function>
    void separated(const Range& range, std::string_view separator, Function function) {
        bool first = true;
        for (const auto& element : range) {
            if (!first) {
                out_ += separator;
            }
            first = false;
            function(element);
        }
    }

    void print(const Constant& constant) {
        out_ += constant.value ? "TRUEPREDICATE" : "FALSEPREDICATE";
    }

    void print(const Comparison& comparison) {
        expression(comparison.left);
        out_ += ' ';
        out_ += operator_text(comparison.op);
        out_ += comparison.ignore_case ? "[c] " : " ";
        expression(comparison.right);
    }

    void print(const Between& between) {
        expression(between.subject);
        out_ += " BETWEEN ";
        list(between.bounds);
    }

    void print(const GeoWithin& within) {
        property(within.property);
        out_ += " geoWithin ";
        if (const Literal* argument = std::get_if<Literal>(&within.shape)) {
            literal(*argument);
        } else {
            shape(std::get<GeoShapeLiteral>(within.shape));
        }
    }

    void print(const Negation& negation) {
        out_ += "NOT ";
        if (std::holds_alternative<Group>(negation.operand->node)) {
            parenthesised(*negation.operand);
        } else {
            predicate(*negation.operand);
        }
    }

    void print(const Group& group) {
        const bool conjunction = group.op == GroupOperator::conjunction;
        separated(group.operands, conjunction ? " AND " : " OR ", [&](const Predicate& operand) {
            if (conjunction && std::holds_alternative<Group>(operand.node)) {
                parenthesised(operand);
            } else {
                predicate(operand);
            }
        });
    }

    void parenthesised(const Predicate& node) {
        out_ += '(';
        predicate(node);
        out_ += ')';
    }

    void quantifier(Quantifier quantifier) {
        switch (quantifier) {
        case Quantifier::unspecified:
            break;
        case Quantifier::any:
            out_ += "ANY ";
            break;
        case Quantifier::all:
            out_ += "ALL ";
            break;
        case Quantifier::none:
            out_ += "NONE ";
            break;
        }
    }

    void path(const Path& path) {
        bool first = true;
        for (const PathElement& element : path.elements) {
            if (element.kind == ElementKind::name && !first) {
                out_ += '.';
            }
            first = false;
            path_element(element);
        }
    }

    void path_element(const PathElement& element) {
        switch (element.kind) {
        case ElementKind::name:
            append_name(out_, element.text);
            break;
        case ElementKind::path_argument:
            out_ += "$K" + element.text;
            break;
        case ElementKind::index:
            out_ += fmt::format("[{}]", element.number);
            break;
        case ElementKind::first:
            out_ += "[FIRST]";
            break;
        case ElementKind::last:
            out_ += "[LAST]";
            break;
        case ElementKind::all:
            out_ += "[*]";
            break;
        case ElementKind::key:
            out_ += '[';
            quoted(element.text);
            out_ += ']';
            break;
        case ElementKind::key_argument:
            out_ += "[$" + element.text + "]";
            break;
        }
    }

    /// Not as B64"...", which is another literal.
    void quoted(std::string_view text) {
        out_ += '"';
        for (char c : text) {
            if (c == '"' || c == '\\') {
                out_ += '\\';
                out_ += c;
            } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
                out_ += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
            } else {
                out_ += c;
            }
        }
        out_ += '"';
    }

    void property(const Property& property) {
        quantifier(property.quantifier);
        path(property.path);
        if (property.suffix != PathSuffix::none) {
            out_ += property.suffix == PathSuffix::size ? ".@count" : ".@type";
        }
    }

    void list(const ListLiteral& list) {
        quantifier(list.quantifier);
        out_ += '{';
        separated(list.elements, ", ", [this](const Literal& element) { literal(element); });
        out_ += '}';
    }

    void aggregate(const Aggregate& aggregate) {
        static constexpr const char* names[] = {".@min", ".@max", ".@sum", ".@avg"};
        path(aggregate.path);
        out_ += names[static_cast<std::size_t>(aggregate.op)];
        if (aggregate.property) {
            out_ += '.';
            append_name(out_, *aggregate.property);
        }
    }

    void subquery(const Subquery& subquery) {
        out_ += "SUBQUERY(";
        path(subquery.path);
        out_ += ", ";
        append_name(out_, subquery.variable);
        out_ += ", ";
        predicate(*subquery.predicate);
        out_ += ").@count";
    }

    static bool is_product(const Arithmetic& arithmetic) noexcept {
        return arithmetic.operators.front() == ArithmeticOperator::multiply ||
               arithmetic.operators.front() == ArithmeticOperator::divide;
    }

    void arithmetic(const Arithmetic& arithmetic) {
        static constexpr const char* names[] = {" + ", " - ", " * ", " / "};
        const bool product = is_product(arithmetic);
        for (std::size_t i = 0; i < arithmetic.operands.size(); ++i) {
            if (i > 0) {
                out_ += names[static_cast<std::size_t>(arithmetic.operators[i - 1])];
            }
            const auto* inner = std::get_if<Box<Arithmetic>>(&arithmetic.operands[i].node);
            const bool wrap = inner && (product || !is_product(**inner));
            out_ += wrap ? "(" : "";
            expression(arithmetic.operands[i]);
            out_ += wrap ? ")" : "";
        }
    }

    void expression(const Expression& node) {
        struct Visitor {
            Printer& printer;
            void operator()(const Literal& node) const { printer.literal(node); }
            void operator()(const Property& node) const { printer.property(node); }
            void operator()(const ListLiteral& node) const { printer.list(node); }
            void operator()(const Aggregate& node) const { printer.aggregate(node); }
            void operator()(const Subquery& node) const { printer.subquery(node); }
            void operator()(const Box<Arithmetic>& node) const { printer.arithmetic(*node); }
        };
        std::visit(Visitor{*this}, node.node);
    }

    void literal(const Literal& literal) {
        quantifier(literal.quantifier);
        switch (literal.kind) {
        case LiteralKind::null:
            out_ += "NULL";
            break;
        case LiteralKind::string:
            quoted(literal.text);
            break;
        case LiteralKind::base64: {
            out_ += "B64\"" + to_base64(as_bytes(literal.text)) + "\"";
            break;
        }
        case LiteralKind::binary:
            append_binary(out_, literal.text);
            break;
        case LiteralKind::uuid:
            out_ += "uuid(" + literal.text + ")";
            break;
        case LiteralKind::object_id:
            out_ += "oid(" + literal.text + ")";
            break;
        case LiteralKind::argument:
            out_ += "$" + literal.text;
            break;
        case LiteralKind::object_link:
            out_ += "obj(";
            quoted(literal.text);
            out_ += ", ";
            this->literal(literal.key.front());
            out_ += ")";
            break;
        default:
            out_ += literal.text;
        }
    }

    void shape(const GeoShapeLiteral& shape) {
        static constexpr const char* names[] = {"geoBox(", "geoCircle(", "geoPolygon("};
        out_ += names[static_cast<std::size_t>(shape.kind)];
        auto points = [this](const std::vector<GeoPointLiteral>& ring) {
            separated(ring, ", ", [this](const GeoPointLiteral& point) {
                out_ += '[';
                separated(point.coordinates, ", ", [this](const Literal& c) { literal(c); });
                out_ += ']';
            });
        };
        if (shape.kind == GeoShapeKind::polygon) {
            separated(shape.rings, ", ", [&](const std::vector<GeoPointLiteral>& ring) {
                out_ += '{';
                points(ring);
                out_ += '}';
            });
        } else {
            points(shape.rings.front());
        }
        if (!shape.radius.empty()) {
            out_ += ", ";
            literal(shape.radius.front());
        }
        out_ += ')';
    }

    void suffix(const Suffix& suffix) {
        if (const Sort* sort = std::get_if<Sort>(&suffix)) {
            out_ += "SORT(";
            separated(sort->keys, ", ", [this](const SortKey& key) {
                path(key.path);
                out_ += key.ascending ? " ASC" : " DESC";
            });
        } else if (const Distinct* distinct = std::get_if<Distinct>(&suffix)) {
            out_ += "DISTINCT(";
            separated(distinct->paths, ", ", [this](const Path& next) { path(next); });
        } else {
            out_ += fmt::format("LIMIT({}", std::get<Limit>(suffix).count);
        }
        out_ += ')';
    }

    std::string out_;
};

} // namespace

std::string print(const Query& query) {
    Printer printer;
    printer.query(query);
    return printer.take();
}

std::string print(const Predicate& predicate) {
    Printer printer;
    printer.predicate(predicate);
    return printer.take();
}

} // namespace tombolo::query
