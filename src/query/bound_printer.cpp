#include "query/bound_printer.hpp"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "query/literal_text.hpp"

namespace tombolo::query {
namespace {

class BoundPrinter {
  public:
    explicit BoundPrinter(PrintStyle style) noexcept : style_(style) {}

    std::string take() { return std::move(out_); }

    void condition(const Condition& condition) {
        if (const bool* constant = std::get_if<bool>(&condition.node)) {
            out_ += *constant ? "TRUEPREDICATE" : "FALSEPREDICATE";
        } else if (const auto* comparison = std::get_if<Comparison>(&condition.node)) {
            compare(*comparison);
        } else if (const auto* text = std::get_if<TextCondition>(&condition.node)) {
            quantifier(text->quantifier);
            path(text->path);
            out_ += " TEXT ";
            append_string(out_, text->text);
        } else if (const auto* geo = std::get_if<GeoCondition>(&condition.node)) {
            quantifier(geo->quantifier);
            path(geo->path);
            out_ += " geoWithin ";
            shape(geo->shape);
        } else if (const auto* negation = std::get_if<Negation>(&condition.node)) {
            out_ += "NOT ";
            nested(*negation->operand, true);
        } else {
            group(std::get<Group>(condition.node));
        }
    }

    void path(const Path& path) {
        bool first = true;
        const auto dot = [&] {
            out_ += first ? "" : ".";
            first = false;
        };
        if (depth_ > 0) {
            out_ += variable(depth_);
            first = false;
        }
        for (const Step& step : path.steps) {
            switch (step.kind) {
            case StepKind::property:
                dot();
                append_name(out_, name_of(*step.property));
                break;
            case StepKind::backlinks:
                dot();
                out_ += "@links.";
                append_name(out_, step.object_class->name());
                out_ += '.';
                append_name(out_, name_of(*step.property));
                break;
            case StepKind::follow:
            case StepKind::elements:
                break;
            case StepKind::all:
                out_ += "[*]";
                break;
            case StepKind::keys:
                out_ += ".@keys";
                break;
            case StepKind::index:
                out_ += fmt::format("[{}]", step.index);
                break;
            case StepKind::first:
                out_ += "[FIRST]";
                break;
            case StepKind::last:
                out_ += "[LAST]";
                break;
            case StepKind::key:
                key(step.key);
                break;
            }
        }
        ending(path, first);
    }

    void suffix(const Suffix& suffix) {
        if (const Sort* sort = std::get_if<Sort>(&suffix)) {
            out_ += " SORT(";
            for (std::size_t i = 0; i < sort->keys.size(); ++i) {
                out_ += i > 0 ? ", " : "";
                path(sort->keys[i].path);
                out_ += sort->keys[i].ascending ? " ASC" : " DESC";
            }
        } else if (const Distinct* distinct = std::get_if<Distinct>(&suffix)) {
            out_ += " DISTINCT(";
            for (std::size_t i = 0; i < distinct->paths.size(); ++i) {
                out_ += i > 0 ? ", " : "";
                path(distinct->paths[i]);
            }
        } else {
            out_ += fmt::format(" LIMIT({}", std::get<Limit>(suffix).count);
        }
        out_ += ')';
    }

  private:
    static std::string variable(std::size_t depth) { return fmt::format("$v{}", depth); }

    /// As queries name it.
    static std::string_view name_of(const schema::Property& property) noexcept {
        return property.alias.empty() ? property.name : property.alias;
    }

    void key(std::string_view text) {
        out_ += "[\"";
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
        out_ += "\"]";
    }

    void ending(const Path& path, bool empty) {
        switch (path.ending) {
        case Ending::value:
            break;
        case Ending::size: {
            const bool lengths =
                !path.steps.empty() && path.steps.back().kind == StepKind::elements;
            out_ += lengths ? ".length" : ".@count";
            break;
        }
        case Ending::type:
            out_ += ".@type";
            break;
        case Ending::object_count:
            out_ += ".@count";
            break;
        case Ending::all_backlinks:
            out_ += empty ? "@links.@count" : ".@links.@count";
            break;
        }
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

    void nested(const Condition& inner, bool wrap_groups) {
        const bool wrap = wrap_groups && std::holds_alternative<Group>(inner.node);
        out_ += wrap ? "(" : "";
        condition(inner);
        out_ += wrap ? ")" : "";
    }

    void group(const Group& group) {
        const bool conjunction = group.op == GroupOperator::conjunction;
        for (std::size_t i = 0; i < group.operands.size(); ++i) {
            out_ += i == 0 ? "" : conjunction ? " AND " : " OR ";
            const Group* inner = std::get_if<Group>(&group.operands[i].node);
            nested(group.operands[i], conjunction && inner && inner->op != group.op);
        }
    }

    void compare(const Comparison& comparison) {
        const bool types = comparison.mode == ComparisonMode::types;
        operand(comparison.left, types);
        // A Mixed beside a list means another thing with == (element by element) than with IN.
        const auto* constants = std::get_if<Constants>(&comparison.right.node);
        const bool in = constants && constants->is_list() &&
                        comparison.mode == ComparisonMode::values &&
                        comparison.op == ComparisonOperator::equal &&
                        comparison.right.quantifier == Quantifier::unspecified;
        out_ += fmt::format(" {}{} ", in ? "IN" : syntax::operator_text(comparison.op),
                            comparison.ignore_case ? "[c]" : "");
        operand(comparison.right, types);
    }

    void operand(const Operand& operand, bool types) {
        quantifier(operand.quantifier);
        if (const auto* values = std::get_if<Constants>(&operand.node)) {
            constants(*values, types);
        } else if (const auto* walked = std::get_if<Path>(&operand.node)) {
            path(*walked);
        } else if (const auto* aggregated = std::get_if<Aggregate>(&operand.node)) {
            aggregate(*aggregated);
        } else if (const auto* counted = std::get_if<Subquery>(&operand.node)) {
            subquery(*counted);
        } else {
            arithmetic(std::get<Arithmetic>(operand.node));
        }
    }

    std::string constant(const Item& item, bool type) const {
        std::string text;
        if (type) {
            const auto mask = static_cast<TypeMask>(*std::get_if<std::int64_t>(&item.value));
            append_string(text, type_mask_name(mask));
        } else {
            append_scalar(text, item.value);
            const bool decimal = item.type == ValueType::decimal128;
            text += decimal && style_ == PrintStyle::canonical ? "d" : "";
        }
        return text;
    }

    void constants(const Constants& values, bool types) {
        if (!values.is_list()) {
            out_ += constant(values.items().front(), types);
            return;
        }
        std::vector<std::string> texts;
        for (const Item& item : values.items()) {
            texts.push_back(constant(item, types));
        }
        out_ += '{';
        for (std::size_t i = 0; i < texts.size(); ++i) {
            out_ += i > 0 ? ", " : "";
            out_ += texts[i];
        }
        out_ += '}';
    }

    void aggregate(const Aggregate& aggregate) {
        static constexpr const char* names[] = {".@min", ".@max", ".@sum", ".@avg"};
        Path list;
        list.steps.assign(aggregate.path.steps.begin(),
                          aggregate.path.steps.begin() +
                              static_cast<std::ptrdiff_t>(aggregate.list_steps));
        path(list);
        out_ += names[static_cast<std::size_t>(aggregate.op)];
        if (aggregate.list_steps < aggregate.path.steps.size()) {
            out_ += '.';
            append_name(out_, name_of(*aggregate.path.steps.back().property));
        }
    }

    void subquery(const Subquery& subquery) {
        out_ += "SUBQUERY(";
        path(subquery.path);
        ++depth_;
        out_ += ", " + variable(depth_) + ", ";
        condition(*subquery.condition);
        --depth_;
        out_ += ").@count";
    }

    void arithmetic(const Arithmetic& arithmetic) {
        static constexpr const char* names[] = {" + ", " - ", " * ", " / "};
        for (std::size_t i = 0; i < arithmetic.operands.size(); ++i) {
            out_ += i == 0 ? "" : names[static_cast<std::size_t>(arithmetic.operators[i - 1])];
            const bool wrap = std::holds_alternative<Arithmetic>(arithmetic.operands[i].node);
            out_ += wrap ? "(" : "";
            operand(arithmetic.operands[i], false);
            out_ += wrap ? ")" : "";
        }
    }

    void point(const GeoPoint& point) {
        out_ += '[';
        append_scalar(out_, ScalarView(point.longitude));
        out_ += ", ";
        append_scalar(out_, ScalarView(point.latitude));
        if (point.altitude) {
            out_ += ", ";
            append_scalar(out_, ScalarView(*point.altitude));
        }
        out_ += ']';
    }

    void shape(const GeoShape& shape) {
        if (const auto* box = std::get_if<GeoBox>(&shape)) {
            out_ += "geoBox(";
            point(box->low);
            out_ += ", ";
            point(box->high);
        } else if (const auto* circle = std::get_if<GeoCircle>(&shape)) {
            out_ += "geoCircle(";
            point(circle->center);
            out_ += ", ";
            append_scalar(out_, ScalarView(circle->radius_radians));
        } else {
            out_ += "geoPolygon(";
            bool first_ring = true;
            for (const auto& ring : std::get<GeoPolygon>(shape).rings) {
                out_ += first_ring ? "{" : ", {";
                first_ring = false;
                for (std::size_t i = 0; i < ring.size(); ++i) {
                    out_ += i > 0 ? ", " : "";
                    point(ring[i]);
                }
                out_ += '}';
            }
        }
        out_ += ')';
    }

    PrintStyle style_;
    std::size_t depth_ = 0; ///< of subqueries
    std::string out_;
};

} // namespace

std::string print(const Query& query) {
    BoundPrinter printer(PrintStyle::description);
    printer.condition(query.condition);
    for (const Suffix& suffix : query.suffixes) {
        printer.suffix(suffix);
    }
    return printer.take();
}

std::string print(const Condition& condition, PrintStyle style) {
    BoundPrinter printer(style);
    printer.condition(condition);
    return printer.take();
}

std::string print(const Path& path) {
    BoundPrinter printer(PrintStyle::description);
    printer.path(path);
    return printer.take();
}

} // namespace tombolo::query
