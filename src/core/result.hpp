#pragma once

// Result<T>: a value or an Error. What every function returns that meets outside input.
//
//     Result<Uuid> id = Uuid::parse(text);
//     if (!id) {
//         return id.error();
//     }
//     use(*id);
//
// TOMBOLO_TRY(auto id, Uuid::parse(text)); does the same in one line. Reading the value of a failed
// result throws that Error (public API) instead of being undefined.

#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "core/error.hpp"

namespace tombolo {

template <class T>
class [[nodiscard]] Result {
  public:
    using value_type = T; // NOLINT(readability-identifier-naming): the standard's name

    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    T& value() & {
        throw_if_error();
        return *std::get_if<0>(&state_);
    }
    const T& value() const& {
        throw_if_error();
        return *std::get_if<0>(&state_);
    }
    T&& value() && {
        throw_if_error();
        return std::move(*std::get_if<0>(&state_));
    }

    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    /// REQUIRES: !has_value()
    const Error& error() const { return std::get<1>(state_); }

  private:
    void throw_if_error() const {
        if (const Error* error = std::get_if<1>(&state_)) {
            throw *error;
        }
    }

    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
  public:
    Result() = default;
    Result(Error error) : error_(std::move(error)) {}

    bool has_value() const noexcept { return !error_; }
    explicit operator bool() const noexcept { return has_value(); }
    void value() const {
        if (error_) {
            throw *error_;
        }
    }
    /// REQUIRES: !has_value()
    const Error& error() const { return error_.value(); }

  private:
    std::optional<Error> error_;
};

} // namespace tombolo

#define TOMBOLO_DETAIL_CONCAT_2(a, b) a##b
#define TOMBOLO_DETAIL_CONCAT(a, b) TOMBOLO_DETAIL_CONCAT_2(a, b)

/// TOMBOLO_TRY(auto x, f()): x is the value of f(), or this function returns f()'s error.
#define TOMBOLO_TRY(declaration, expression)                                                       \
    TOMBOLO_DETAIL_TRY(declaration, expression, TOMBOLO_DETAIL_CONCAT(tombolo_try_, __LINE__))
#define TOMBOLO_DETAIL_TRY(declaration, expression, name)                                          \
    auto name = (expression); /* NOLINT(bugprone-macro-parentheses) */                             \
    if (!name) {              /* NOLINT(bugprone-macro-parentheses) */                             \
        return name.error();  /* NOLINT(bugprone-macro-parentheses) */                             \
    }                                                                                              \
    declaration = *std::move(name) /* NOLINT(bugprone-macro-parentheses) */

/// TOMBOLO_TRY_VOID(f()): for Result<void>.
#define TOMBOLO_TRY_VOID(expression)                                                               \
    do {                                                                                           \
        if (auto tombolo_try_result = (expression); !tombolo_try_result) {                         \
            return tombolo_try_result.error();                                                     \
        }                                                                                          \
    } while (false)
