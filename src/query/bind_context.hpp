#pragma once

// What the parts of the binder share. Internal to query/.

#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "query/arguments.hpp"
#include "query/binder.hpp"
#include "query/bound.hpp"
#include "query/syntax.hpp"

namespace tombolo::query {

/// The class that bare names mean, and the variable of the innermost subquery ("" outside).
struct Scope {
    const schema::ClassSchema* object_class = nullptr;
    std::string_view variable;
    const Scope* outer = nullptr;
};

struct BindContext {
    std::string_view text;
    const schema::Schema& schema;
    const Arguments& arguments;
    const BindOptions& options;
    /// Filled by the path binder.
    std::vector<const schema::Property*> root_properties;

    Error invalid(syntax::Position position, std::string_view what) const;
    Error unsupported(syntax::Position position, std::string_view what) const;

    /// The argument with these digits as index.
    Result<const Argument*> argument(std::string_view digits, syntax::Position position) const;
};

enum class PathUse : std::uint8_t {
    value,
    size,
    type,
    objects, ///< for subqueries, geo and counts: ends at objects
};

/// Resolves names, aliases, indexes; sets `many`, `type` and `ending`.
Result<Path> bind_path(BindContext& context, const Scope& scope, const syntax::Path& path,
                       PathUse use);

/// A literal as the value that compares best with `hint` (null: no hint). Lists come from list
/// arguments only.
Result<std::vector<Value>> bind_literal(const BindContext& context, const syntax::Literal& literal,
                                        const StaticType* hint, bool& is_list);

/// A coordinate or radius: a finite or infinite number.
Result<double> bind_number(const BindContext& context, const syntax::Literal& literal);

/// The constant in the form that compares exactly and canonically with a property of this type.
Value adapt(Value value, const StaticType& hint);

/// Error when a constant cannot be compared with values of this type.
Result<void> check_constant(const BindContext& context, syntax::Position position,
                            const Value& value, const StaticType& type);

bool is_comparable(const StaticType& left, const StaticType& right) noexcept;
bool is_numeric(schema::PropertyType type) noexcept;

/// "int", "string", "link to 'Dog'", ...
std::string type_word(const StaticType& type);

} // namespace tombolo::query
