#pragma once

// A borrowed callable: two words, no allocation. Valid only during the call it is passed to.

#include <memory>
#include <type_traits>
#include <utility>

namespace tombolo::query {

template <class Signature>
class FunctionRef;

template <class R, class... Args>
class FunctionRef<R(Args...)> {
  public:
    // The constraint keeps the copy constructor in view.
    // NOLINTBEGIN(bugprone-forwarding-reference-overload)
    template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef> &&
             std::is_invocable_r_v<R, F&, Args...>) FunctionRef(F&& function)
    noexcept
        : target_(const_cast<void*>(static_cast<const void*>(std::addressof(function)))),
          call_([](void* target, Args... args) -> R {
              return (*static_cast<std::remove_reference_t<F>*>(target))(
                  std::forward<Args>(args)...);
          }) {}
    // NOLINTEND(bugprone-forwarding-reference-overload)

    R operator()(Args... args) const { return call_(target_, std::forward<Args>(args)...); }

  private:
    void* target_;
    R (*call_)(void*, Args...);
};

} // namespace tombolo::query
