#pragma once

// Which of many views may hold a document, without asking each (DESIGN.md, "Matching by predicate
// index").
//
// A view's condition on a class is its query AND its role's read filter. One of the two is brought
// to disjuncts (query/match_plan.hpp), and the view stands under one field condition of each: an
// equality by the hashes of its values, else a range in an interval table; where some disjunct has
// neither, in the list of those asked about every document of the class. So what find() gives holds
// every view that holds the document, and some that do not: callers ask View::holds().
//
// Members are numbers that the caller gave. Classes and properties go by name, so that views of an
// older model may stand beside newer ones. Not thread-safe.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "query/match_plan.hpp"
#include "server/sync/engine/view.hpp"

namespace tombolo::server::sync {

/// Closed intervals and the members that have them.
class IntervalTable {
  public:
    void add(double low, double high, std::uint32_t member);
    void remove(std::uint32_t member);
    bool empty() const noexcept { return intervals_.empty(); }
    /// Appends the members of the intervals around `value`.
    void find(double value, std::vector<std::uint32_t>& out) const;
    void find_all(std::vector<std::uint32_t>& out) const;

  private:
    struct Interval {
        double low = 0;
        double high = 0;
        double highest = 0; ///< in the subtree whose root this is
        std::uint32_t member = 0;
    };
    double measure(std::size_t begin, std::size_t end) const;
    void find(std::size_t begin, std::size_t end, double value,
              std::vector<std::uint32_t>& out) const;

    /// By `low`, once sorted: the middle of a range of them is the root of its subtree.
    mutable std::vector<Interval> intervals_;
    mutable bool is_sorted_ = true;
};

class PredicateIndex {
  public:
    void add(std::uint32_t member, const View& view);
    /// REQUIRES: added with this view.
    void remove(std::uint32_t member, const View& view);
    /// Members whose view may hold the document, each once, in no order.
    void find(const std::string& class_name, ByteView document, std::vector<std::uint32_t>& out);

  private:
    struct Field {
        /// Keeps `property` alive.
        std::shared_ptr<const Model> model;
        const schema::Property* property = nullptr;
        std::unordered_map<std::size_t, std::vector<std::uint32_t>> equal;
        IntervalTable ranges;
    };
    struct OfClass {
        std::map<std::string, Field, std::less<>> fields;
        std::vector<std::uint32_t> always;
    };

    /// Where the view stands: always(), or place(condition) for each condition.
    template <class Always, class Place>
    static void places(const View& view, const std::string& class_name, Always always, Place place);
    static void find_in(const Field& field, ByteView document, std::vector<std::uint32_t>& out);

    std::map<std::string, OfClass, std::less<>> classes_;
};

} // namespace tombolo::server::sync
