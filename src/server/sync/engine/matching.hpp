#pragma once

// Who is concerned by what was committed: sessions with one reading (view.hpp) form a group, and a
// group is told of an entry only when an object in it was in the view before, or is after
// (server-sync-algorithm.md 3: for all others D(v) is nothing).
//
// Matching finds the groups by a predicate index. What it finds serves twice: the members are
// woken, and the group remembers the versions, so that a session that wakes up passes over all
// those in between without looking at them. A device's own uploads and resets do not go this way:
// its mailbox is told of them.
//
// A group's record is complete for versions above since() up to until(); outside, sessions look at
// every entry. It is bounded: a session that falls further behind does the same.
//
// Publishing order: record() before the version is published, join() after record() and with the
// version that is being published. Thread-safety: Matching and ViewGroup may be used from any
// thread; match() and record() are Engine::run()'s.

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "core/mutex.hpp"
#include "server/sync/engine/history.hpp"
#include "server/sync/engine/predicate_index.hpp"

namespace tombolo::server::sync {

struct Mailbox;

class ViewGroup {
  public:
    static constexpr std::size_t remembered_max = 16'384;

    ViewGroup(std::shared_ptr<const View> view, Number since)
        : view_(std::move(view)), since_(since) {}

    const View& view() const noexcept { return *view_; }

    struct Next {
        /// The first version above `after` that concerns the view, or that the record does not
        /// reach any more; limit + 1: none up to there.
        Number version = 0;
        bool is_known = false; ///< false: the record says nothing of what follows `after`
    };
    Next next(Number after, Number limit) const TOMBOLO_EXCLUDES(mutex_);

    /// REQUIRES: above those recorded before.
    void record(Number version) TOMBOLO_EXCLUDES(mutex_);
    /// Nothing above the version is recorded any more.
    void end(Number until) TOMBOLO_EXCLUDES(mutex_);

  private:
    const std::shared_ptr<const View> view_;
    mutable Mutex mutex_;
    Number since_ TOMBOLO_GUARDED_BY(mutex_);
    Number until_ TOMBOLO_GUARDED_BY(mutex_) = std::numeric_limits<Number>::max();
    /// Takes no memory while empty; those before `forgotten_` are no more.
    std::vector<Number> versions_ TOMBOLO_GUARDED_BY(mutex_);
    std::ptrdiff_t forgotten_ TOMBOLO_GUARDED_BY(mutex_) = 0;
};

class Matching {
  public:
    using Woken = std::vector<std::shared_ptr<Mailbox>>;
    using Entries = std::map<Number, std::shared_ptr<const Entry>>;

    /// Puts the file into the group of the view, out of the one it was in. `top`: the newest
    /// version that was recorded.
    std::shared_ptr<ViewGroup> join(Number file, const std::shared_ptr<Mailbox>& mailbox,
                                    const std::shared_ptr<const View>& view, Number top)
        TOMBOLO_EXCLUDES(mutex_);
    /// `mailbox`: a newer session of the file is left alone.
    void leave(Number file, const Mailbox& mailbox) TOMBOLO_EXCLUDES(mutex_);

    /// Finds the groups that the entries concern. They may still come to nothing.
    void match(const Entries& entries) TOMBOLO_EXCLUDES(mutex_);
    /// What was matched last is durable: groups remember it, their members are to be woken.
    Woken record(Number top) TOMBOLO_EXCLUDES(mutex_);
    void forget_match() TOMBOLO_EXCLUDES(mutex_);

    std::size_t groups() const TOMBOLO_EXCLUDES(mutex_);

  private:
    using Key = const std::string*; ///< of a reading
    struct Slot {
        std::shared_ptr<ViewGroup> group;
        std::uint32_t number = 0;
        /// By file: in an order that does not depend on addresses.
        std::map<Number, std::shared_ptr<Mailbox>> members;
    };

    void match(Number version, const Entry& entry) TOMBOLO_REQUIRES(mutex_);
    void match(Number version, const std::string& class_name, const Image& image)
        TOMBOLO_REQUIRES(mutex_);
    void concern(Number version, Slot& slot) TOMBOLO_REQUIRES(mutex_);
    void drop(Key key, Number file) TOMBOLO_REQUIRES(mutex_);

    mutable Mutex mutex_;
    PredicateIndex index_ TOMBOLO_GUARDED_BY(mutex_);
    std::map<Key, Slot> slots_ TOMBOLO_GUARDED_BY(mutex_);
    std::vector<Key> by_number_ TOMBOLO_GUARDED_BY(mutex_);
    std::vector<std::uint32_t> free_numbers_ TOMBOLO_GUARDED_BY(mutex_);
    std::unordered_map<Number, Key> files_ TOMBOLO_GUARDED_BY(mutex_);
    Number top_ TOMBOLO_GUARDED_BY(mutex_) = 0;
    /// Of the last match(): versions by group number.
    std::map<std::uint32_t, std::vector<Number>> matched_ TOMBOLO_GUARDED_BY(mutex_);
    std::vector<std::uint32_t> candidates_ TOMBOLO_GUARDED_BY(mutex_);
};

} // namespace tombolo::server::sync
