#pragma once

// std::mutex that clang can check: members say which mutex guards them, functions which one they
// need.
//
//     Mutex mutex_;
//     int count_ TOMBOLO_GUARDED_BY(mutex_) = 0;
//     void add_locked() TOMBOLO_REQUIRES(mutex_);
//
//     const MutexLock lock(mutex_);
//
// Under other compilers the annotations are empty. No lock is held across co_await, a callback or
// I/O.

#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define TOMBOLO_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define TOMBOLO_THREAD_ANNOTATION(x)
#endif

/// Of a member: read and written only with the mutex held.
#define TOMBOLO_GUARDED_BY(mutex) TOMBOLO_THREAD_ANNOTATION(guarded_by(mutex))
/// Of a pointer member: what it points to is.
#define TOMBOLO_PT_GUARDED_BY(mutex) TOMBOLO_THREAD_ANNOTATION(pt_guarded_by(mutex))
/// Of a function: called only with the mutex held.
#define TOMBOLO_REQUIRES(...) TOMBOLO_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
/// Of a function: called only without it, because it locks it.
#define TOMBOLO_EXCLUDES(...) TOMBOLO_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
/// Of a function: locks or unlocks it for the caller.
#define TOMBOLO_ACQUIRE(...) TOMBOLO_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define TOMBOLO_RELEASE(...) TOMBOLO_THREAD_ANNOTATION(release_capability(__VA_ARGS__))

namespace tombolo {

class TOMBOLO_THREAD_ANNOTATION(capability("mutex")) Mutex {
  public:
    void lock() TOMBOLO_ACQUIRE() { mutex_.lock(); }
    void unlock() TOMBOLO_RELEASE() { mutex_.unlock(); }
    bool try_lock() TOMBOLO_THREAD_ANNOTATION(try_acquire_capability(true)) {
        return mutex_.try_lock();
    }

  private:
    std::mutex mutex_;
};

/// Holds a mutex for a scope.
class TOMBOLO_THREAD_ANNOTATION(scoped_lockable) MutexLock {
  public:
    explicit MutexLock(Mutex& mutex) TOMBOLO_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
    MutexLock(const MutexLock&) = delete;
    MutexLock& operator=(const MutexLock&) = delete;
    ~MutexLock() TOMBOLO_RELEASE() { mutex_.unlock(); }

  private:
    Mutex& mutex_;
};

/// A condition to wait for under a Mutex. Wake-ups may be spurious: wait in a loop over the
/// condition, in the function that holds the lock, so that clang sees the guarded members read
/// under it.
class Condition {
  public:
    void wait(Mutex& mutex) TOMBOLO_REQUIRES(mutex) { condition_.wait(mutex); }
    void notify_one() noexcept { condition_.notify_one(); }
    void notify_all() noexcept { condition_.notify_all(); }

  private:
    std::condition_variable_any condition_;
};

} // namespace tombolo
