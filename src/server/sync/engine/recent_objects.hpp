#pragma once

// Which objects history spoke of lately: so that an upload of an object that nobody else touched
// costs no look into the store.
//
// By the hashes of their names: an object that is not in here, or not above a version, certainly
// has no part there; one that is may have one. Two generations of bounded size; what is older than
// both is unknown. Not thread-safe: the integrator's.

#include <cstddef>
#include <unordered_map>

#include "server/sync/engine/object_ref.hpp"
#include "server/sync/engine/records.hpp"

namespace tombolo::server::sync {

class RecentObjects {
  public:
    static constexpr std::size_t generation_max = 200'000;

    /// Forgets everything; knows nothing of versions up to `since`.
    void start(Number since) {
        young_ = {};
        old_ = {};
        young_since_ = since;
        old_since_ = since;
    }

    /// REQUIRES: versions come in order, but for those that were abandoned and come again.
    void note(const ObjectRef& object, Number version) {
        if (young_.size() >= generation_max) {
            old_ = std::move(young_);
            old_since_ = young_since_;
            young_ = {};
            // Others of the same version may be in the old one.
            young_since_ = version - 1;
        }
        young_[ObjectRefHash()(object)] = version;
    }

    /// False: no part of the object lies above the version.
    bool may_have_above(const ObjectRef& object, Number version) const {
        if (version < old_since_) {
            return true;
        }
        const std::size_t hash = ObjectRefHash()(object);
        const auto young = young_.find(hash);
        if (young != young_.end() && young->second > version) {
            return true;
        }
        const auto old = old_.find(hash);
        return old != old_.end() && old->second > version;
    }

  private:
    using Generation = std::unordered_map<std::size_t, Number>; ///< the newest version, by hash
    Generation young_;
    Generation old_;
    Number young_since_ = 0;
    Number old_since_ = 0;
};

} // namespace tombolo::server::sync
