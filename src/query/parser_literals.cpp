// Constants.

#include <utility>

#include "core/bytes.hpp"
#include "query/parser_class.hpp"

namespace tombolo::query::detail {

Result<Literal> Parser::required_literal(std::string_view what) {
    Literal out;
    TOMBOLO_TRY(const bool found, literal(out));
    if (!found) {
        return expected(what);
    }
    return out;
}

/// Reads a constant if the current token starts one; false (and nothing read) otherwise.
Result<bool> Parser::literal(Literal& out) {
    out.position = here();
    switch (token_.kind) {
    case TokenKind::integer:
    case TokenKind::hex:
        out.kind = LiteralKind::integer;
        out.text = token_.text;
        break;
    case TokenKind::floating:
        out.kind = LiteralKind::floating;
        out.text = token_.text;
        break;
    case TokenKind::string:
        out.kind = LiteralKind::string;
        out.text = decode_string(token_.text);
        break;
    case TokenKind::base64: {
        auto bytes = from_base64(token_.text.substr(4, token_.text.size() - 5));
        if (!bytes) {
            return expected("base64 text between B64\" and \"");
        }
        out.kind = LiteralKind::base64;
        out.text = as_text(*bytes);
        break;
    }
    case TokenKind::timestamp:
        out.kind = LiteralKind::timestamp;
        out.text = token_.text;
        break;
    case TokenKind::uuid:
        out.kind = LiteralKind::uuid;
        out.text = token_.text;
        break;
    case TokenKind::object_id:
        out.kind = LiteralKind::object_id;
        out.text = token_.text;
        break;
    case TokenKind::object_key:
        out.kind = LiteralKind::object_key;
        out.text = token_.text;
        break;
    case TokenKind::argument:
        out.kind = LiteralKind::argument;
        out.text = token_.text;
        break;
    case TokenKind::symbol:
        return signed_literal(out);
    case TokenKind::name:
        return named_literal(out);
    default:
        return false;
    }
    TOMBOLO_TRY_VOID(advance());
    return true;
}

Result<bool> Parser::signed_literal(Literal& out) {
    if (!is_symbol("+") && !is_symbol("-")) {
        return false;
    }
    TOMBOLO_TRY(const Token behind, peek());
    const bool touches = behind.offset == token_.end;
    const std::string sign = token_.text == "-" ? "-" : "";
    if (touches && (behind.kind == TokenKind::integer || behind.kind == TokenKind::floating)) {
        out.kind = behind.kind == TokenKind::integer ? LiteralKind::integer : LiteralKind::floating;
        out.text = sign + std::string(behind.text);
    } else if (touches && behind.kind == TokenKind::name &&
               (same_letters(behind.text, "inf") || same_letters(behind.text, "infinity"))) {
        out.kind = LiteralKind::infinity;
        out.text = sign + "inf";
    } else if (touches && behind.kind == TokenKind::name && same_letters(behind.text, "nan")) {
        out.kind = LiteralKind::nan;
        out.text = "nan";
    } else {
        TOMBOLO_TRY_VOID(advance());
        return expected("a number behind the sign");
    }
    TOMBOLO_TRY_VOID(advance());
    TOMBOLO_TRY_VOID(advance());
    return true;
}

Result<bool> Parser::named_literal(Literal& out) {
    if (is_exactly("true") || is_exactly("TRUE") || is_exactly("false") || is_exactly("FALSE")) {
        out.kind = LiteralKind::boolean;
        out.text = token_.text[0] == 't' || token_.text[0] == 'T' ? "true" : "false";
    } else if (is_keyword("null") || is_keyword("nil")) {
        out.kind = LiteralKind::null;
    } else if (is_keyword("inf") || is_keyword("infinity")) {
        out.kind = LiteralKind::infinity;
        out.text = "inf";
    } else if (is_keyword("nan")) {
        out.kind = LiteralKind::nan;
        out.text = "nan";
    } else if (is_keyword("bin") || is_keyword("binary") || is_keyword("obj")) {
        const bool object = is_keyword("obj");
        TOMBOLO_TRY(const Token behind, peek());
        if (behind.kind != TokenKind::symbol || behind.text != "(") {
            return false;
        }
        TOMBOLO_TRY_VOID(advance());
        TOMBOLO_TRY_VOID(advance());
        if (object) {
            TOMBOLO_TRY_VOID(object_literal(out));
        } else {
            TOMBOLO_TRY_VOID(binary_literal(out));
        }
        TOMBOLO_TRY_VOID(expect_symbol(")"));
        return true;
    } else {
        return false;
    }
    TOMBOLO_TRY_VOID(advance());
    return true;
}

Result<void> Parser::object_literal(Literal& out) {
    out.kind = LiteralKind::object_link;
    if (token_.kind != TokenKind::string) {
        return expected("the class name as a string");
    }
    out.text = decode_string(token_.text);
    TOMBOLO_TRY_VOID(advance());
    TOMBOLO_TRY_VOID(expect_symbol(","));
    TOMBOLO_TRY(Literal key, required_literal("a primary key"));
    switch (key.kind) {
    case LiteralKind::integer:
    case LiteralKind::string:
    case LiteralKind::base64:
    case LiteralKind::uuid:
    case LiteralKind::object_id:
    case LiteralKind::argument:
    case LiteralKind::null:
        out.key.push_back(std::move(key));
        return {};
    default:
        return syntax_error(
            lexer_.text(), key.position.offset,
            "expected a number, string, uuid(...), oid(...) or argument as primary key");
    }
}

Result<void> Parser::binary_literal(Literal& out) {
    Literal inner;
    const bool text = token_.kind == TokenKind::string || token_.kind == TokenKind::base64;
    if (!text) {
        return expected("a string or B64\"...\"");
    }
    TOMBOLO_TRY(const bool found, literal(inner));
    static_cast<void>(found);
    out.kind = LiteralKind::binary;
    out.text = std::move(inner.text);
    return {};
}

} // namespace tombolo::query::detail
