#pragma once

// Runs a whole query, SORT, DISTINCT and LIMIT included, over a sequence of objects
// (database-and-sdk.md 3.5).
//
// Suffixes are applied left to right. Sorting is stable, so that a SORT behind a SORT makes the
// later one primary. DISTINCT keeps the first row of each group and drops rows whose key crosses a
// null link.

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <set>
#include <utility>
#include <vector>

#include "query/evaluator.hpp"

namespace tombolo::query {

namespace detail {

template <Accessor A>
struct KeyedRow {
    typename A::Object object;
    std::vector<Item> keys;
};

template <Accessor A>
void sort_rows(std::vector<typename A::Object>& rows, const Sort& sort,
               const Evaluator<A>& evaluator) {
    std::vector<KeyedRow<A>> keyed;
    keyed.reserve(rows.size());
    for (const auto& row : rows) {
        KeyedRow<A> next{row, {}};
        for (const SortKey& key : sort.keys) {
            next.keys.push_back(evaluator.key(key.path, row));
        }
        keyed.push_back(std::move(next));
    }
    std::stable_sort(keyed.begin(), keyed.end(), [&](const auto& left, const auto& right) {
        for (std::size_t i = 0; i < sort.keys.size(); ++i) {
            const int result = order(left.keys[i], right.keys[i]);
            if (result != 0) {
                return sort.keys[i].ascending ? result < 0 : result > 0;
            }
        }
        return false;
    });
    for (std::size_t i = 0; i < rows.size(); ++i) {
        rows[i] = keyed[i].object;
    }
}

template <Accessor A>
void distinct_rows(std::vector<typename A::Object>& rows, const Distinct& distinct,
                   const Evaluator<A>& evaluator) {
    const auto less = [](const std::vector<Item>& left, const std::vector<Item>& right) {
        for (std::size_t i = 0; i < left.size(); ++i) {
            const int result = order(left[i], right[i]);
            if (result != 0) {
                return result < 0;
            }
        }
        return false;
    };
    std::set<std::vector<Item>, decltype(less)> seen(less);
    std::vector<typename A::Object> kept;
    for (const auto& row : rows) {
        std::vector<Item> keys;
        bool reached = true;
        for (const Path& path : distinct.paths) {
            keys.push_back(evaluator.key(path, row));
            reached = reached && !keys.back().through_null_link;
        }
        if (reached && seen.insert(std::move(keys)).second) {
            kept.push_back(row);
        }
    }
    rows = std::move(kept);
}

} // namespace detail

/// Applies SORT, DISTINCT and LIMIT to rows that match already.
template <Accessor A>
void apply_suffixes(const Query& query, const A& accessor, std::vector<typename A::Object>& rows) {
    const Evaluator<A> evaluator(accessor);
    for (const Suffix& suffix : query.suffixes) {
        if (const Sort* sort = std::get_if<Sort>(&suffix)) {
            detail::sort_rows<A>(rows, *sort, evaluator);
        } else if (const Distinct* distinct = std::get_if<Distinct>(&suffix)) {
            detail::distinct_rows<A>(rows, *distinct, evaluator);
        } else if (const std::uint64_t count = std::get<Limit>(suffix).count; count < rows.size()) {
            rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(count), rows.end());
        }
    }
}

/// The objects of `candidates` that match, in the query's order. Objects must be copyable.
template <Accessor A, class Range>
std::vector<typename A::Object> run(const Query& query, const A& accessor,
                                    const Range& candidates) {
    const Evaluator<A> evaluator(accessor);
    std::vector<typename A::Object> rows;
    for (const auto& object : candidates) {
        if (evaluator.matches(query.condition, object)) {
            rows.push_back(object);
        }
    }
    apply_suffixes(query, accessor, rows);
    return rows;
}

} // namespace tombolo::query
