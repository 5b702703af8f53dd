// $regexMatch, $regexFind and $regexFindAll. A literal pattern is compiled once, with the
// expression.

#include <fmt/format.h>

#include "mql/expression_node.hpp"
#include "mql/expression_text.hpp"
#include "mql/regex.hpp"

namespace tombolo::mql::detail {

namespace {

enum class RegexForm : std::uint8_t { match, find, find_all };

constexpr std::array<std::string_view, 3> form_names = {"$regexMatch", "$regexFind",
                                                        "$regexFindAll"};

/// The pattern from a string or a regex value, its options from either but not from both. Nothing
/// when it is nullish.
Result<std::optional<Regex>> compile_pattern(BsonView pattern, BsonView options) {
    std::string_view flags;
    if (!options.is_nullish()) {
        if (!options.is_string()) {
            return failed(
                fmt::format("the options of a regular expression must be a string, not {}",
                            type_alias(options.type())));
        }
        flags = options.as_string();
    }
    if (pattern.is_nullish()) {
        return std::optional<Regex>();
    }
    std::string_view text;
    if (pattern.type() == BsonType::regex) {
        const BsonRegexView regex = pattern.as_regex();
        if (!regex.options.empty() && !flags.empty()) {
            return failed("options are given both in the regular expression and beside it");
        }
        text = regex.pattern;
        flags = regex.options.empty() ? flags : regex.options;
    } else if (pattern.is_string()) {
        text = pattern.as_string();
    } else {
        return failed(fmt::format("a regular expression must be a string or a regex, not {}",
                                  type_alias(pattern.type())));
    }
    TOMBOLO_TRY(Regex regex, Regex::compile(text, flags));
    return std::optional<Regex>(std::move(regex));
}

class RegexNode : public ExpressionNode {
  public:
    RegexNode(RegexForm form, std::vector<NodePtr> arguments, std::string path)
        : form_(form), arguments_(std::move(arguments)), path_(std::move(path)) {}

    /// Compiles a pattern that is a literal.
    Result<void> prepare() {
        const auto pattern = arguments_[1]->constant();
        const auto options =
            arguments_[2] ? arguments_[2]->constant() : std::optional<BsonView>(BsonView());
        if (pattern && options) {
            TOMBOLO_TRY(prepared_, compile_pattern(*pattern, *options));
            is_prepared_ = true;
        }
        return {};
    }

    Result<BsonView> evaluate(Evaluation& evaluation) const override {
        TOMBOLO_TRY_VOID(evaluation.step());
        Result<BsonView> result = run(evaluation);
        if (!result && result.error().context().empty()) {
            return result.error().within(path_);
        }
        return result;
    }

  private:
    Result<BsonView> run(Evaluation& evaluation) const {
        TOMBOLO_TRY(const BsonView input, arguments_[0]->evaluate(evaluation));
        std::optional<Regex> regex = prepared_;
        if (!is_prepared_) {
            TOMBOLO_TRY(const BsonView pattern, arguments_[1]->evaluate(evaluation));
            BsonView options;
            if (arguments_[2]) {
                TOMBOLO_TRY(options, arguments_[2]->evaluate(evaluation));
            }
            TOMBOLO_TRY(regex, compile_pattern(pattern, options));
        }
        if (!input.is_nullish() && !input.is_string()) {
            return failed(fmt::format("{} searches strings, not {}",
                                      form_names[static_cast<std::size_t>(form_)],
                                      type_alias(input.type())));
        }
        if (input.is_nullish() || !regex) {
            return nothing(evaluation);
        }
        const std::string_view text = input.as_string();
        switch (form_) {
        case RegexForm::match: {
            TOMBOLO_TRY(const bool found, regex->matches(text));
            return evaluation.boolean(found);
        }
        case RegexForm::find: {
            TOMBOLO_TRY(const auto ranges, regex->find(text, 0));
            if (ranges.empty()) {
                return BsonView::null();
            }
            BsonWriter writer;
            write_match(writer, text, ranges);
            return evaluation.document(std::move(writer));
        }
        case RegexForm::find_all:
            break;
        }
        return find_all(evaluation, *regex, text);
    }

    BsonView nothing(Evaluation& evaluation) const {
        switch (form_) {
        case RegexForm::match:
            return evaluation.boolean(false);
        case RegexForm::find:
            return BsonView::null();
        case RegexForm::find_all:
            break;
        }
        return evaluation.array(BsonWriter(true));
    }

    static void write_match(BsonWriter& writer, std::string_view text,
                            const std::vector<RegexRange>& ranges) {
        const auto part = [&](const RegexRange& range) {
            return text.substr(range.begin, range.end - range.begin);
        };
        writer.append_string("match", part(ranges[0]));
        writer.append_int32(
            "idx", static_cast<std::int32_t>(count_code_points(text.substr(0, ranges[0].begin))));
        writer.begin_array("captures");
        for (std::size_t i = 1; i < ranges.size(); ++i) {
            if (ranges[i].set) {
                writer.append_string({}, part(ranges[i]));
            } else {
                writer.append_null({});
            }
        }
        writer.end();
    }

    static Result<BsonView> find_all(Evaluation& evaluation, const Regex& regex,
                                     std::string_view text) {
        BsonWriter writer(true);
        std::size_t from = 0;
        while (from <= text.size()) {
            TOMBOLO_TRY_VOID(evaluation.step());
            TOMBOLO_TRY(const auto ranges, regex.find(text, from));
            if (ranges.empty()) {
                break;
            }
            writer.begin_document({});
            write_match(writer, text, ranges);
            writer.end();
            TOMBOLO_TRY_VOID(check_size(writer.size(), "$regexFindAll"));
            from = ranges[0].end;
            if (ranges[0].end == ranges[0].begin) {
                if (from == text.size()) {
                    break;
                }
                from = skip_code_points(text, from, 1);
            }
        }
        return evaluation.array(std::move(writer));
    }

    RegexForm form_;
    std::vector<NodePtr> arguments_;
    std::string path_;
    std::optional<Regex> prepared_;
    bool is_prepared_ = false;
};

Result<NodePtr> make_regex(RegexForm form, Compiler& compiler, BsonView spec,
                           const std::string& path) {
    constexpr std::array<std::string_view, 3> names = {"input", "regex", "?options"};
    TOMBOLO_TRY(auto arguments, compiler.compile_named(spec, names, path));
    auto node = std::make_unique<RegexNode>(form, std::move(arguments), path);
    if (const auto prepared = node->prepare(); !prepared) {
        return Error(ErrorCode::mql_invalid, prepared.error().message(), path);
    }
    return NodePtr(std::move(node));
}

} // namespace

Result<NodePtr> make_regex_match(Compiler& compiler, BsonView spec, const std::string& path) {
    return make_regex(RegexForm::match, compiler, spec, path);
}

Result<NodePtr> make_regex_find(Compiler& compiler, BsonView spec, const std::string& path) {
    return make_regex(RegexForm::find, compiler, spec, path);
}

Result<NodePtr> make_regex_find_all(Compiler& compiler, BsonView spec, const std::string& path) {
    return make_regex(RegexForm::find_all, compiler, spec, path);
}

} // namespace tombolo::mql::detail
