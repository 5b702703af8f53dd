#pragma once

// Checks for bugs of ours, never for bad input: bad input is answered with a Result.
//
// TOMBOLO_CHECK stays on in every build and throws Error(internal), so that the caller who owns the
// damaged thing (a session, an app's integrator, a database handle) can put that one thing out of
// use. TOMBOLO_DCHECK is for costly invariants and runs in debug, sanitizer and simulation builds
// only.

namespace tombolo::detail {

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

} // namespace tombolo::detail

#define TOMBOLO_CHECK(condition)                                                                   \
    (static_cast<bool>(condition)                                                                  \
         ? static_cast<void>(0)                                                                    \
         : ::tombolo::detail::check_failed(#condition, __FILE__, __LINE__))

#if defined(TOMBOLO_DCHECKS)
#define TOMBOLO_DCHECK(condition) TOMBOLO_CHECK(condition)
#else
#define TOMBOLO_DCHECK(condition) static_cast<void>(sizeof(static_cast<bool>(condition)))
#endif
