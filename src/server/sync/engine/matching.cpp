#include "server/sync/engine/matching.hpp"

#include <algorithm>

namespace tombolo::server::sync {

namespace {

/// Versions that a group has forgotten, and whose memory it gives back together.
constexpr std::ptrdiff_t compacted_at = 1024;

} // namespace

// A group's record

ViewGroup::Next ViewGroup::next(Number after, Number limit) const {
    const MutexLock lock(mutex_);
    if (after < since_ || after >= until_) {
        return {};
    }
    const auto found = std::upper_bound(versions_.begin() + forgotten_, versions_.end(), after);
    const Number none = std::min(limit, until_) + 1;
    return {found == versions_.end() ? none : std::min(*found, none), true};
}

void ViewGroup::record(Number version) {
    const MutexLock lock(mutex_);
    versions_.push_back(version);
    if (versions_.size() - static_cast<std::size_t>(forgotten_) <= remembered_max) {
        return;
    }
    since_ = versions_[static_cast<std::size_t>(forgotten_++)];
    if (forgotten_ == compacted_at) {
        versions_.erase(versions_.begin(), versions_.begin() + forgotten_);
        forgotten_ = 0;
    }
}

void ViewGroup::end(Number until) {
    const MutexLock lock(mutex_);
    until_ = until;
}

// Members

std::shared_ptr<ViewGroup> Matching::join(Number file, const std::shared_ptr<Mailbox>& mailbox,
                                          const std::shared_ptr<const View>& view, Number top) {
    const MutexLock lock(mutex_);
    top_ = top;
    const Key key = view->reading().get();
    if (const auto old = files_.find(file); old != files_.end() && old->second != key) {
        drop(old->second, file);
    }
    files_[file] = key;
    Slot& slot = slots_[key];
    if (slot.group == nullptr) {
        slot.group = std::make_shared<ViewGroup>(view, top);
        slot.number = static_cast<std::uint32_t>(by_number_.size());
        if (free_numbers_.empty()) {
            by_number_.push_back(key);
        } else {
            slot.number = free_numbers_.back();
            free_numbers_.pop_back();
            by_number_[slot.number] = key;
        }
        index_.add(slot.number, *view);
    }
    slot.members[file] = mailbox;
    return slot.group;
}

void Matching::drop(Key key, Number file) {
    const auto found = slots_.find(key);
    if (found == slots_.end()) {
        return;
    }
    Slot& slot = found->second;
    slot.members.erase(file);
    if (!slot.members.empty()) {
        return;
    }
    slot.group->end(top_);
    index_.remove(slot.number, slot.group->view());
    matched_.erase(slot.number);
    free_numbers_.push_back(slot.number);
    slots_.erase(found);
}

void Matching::leave(Number file, const Mailbox& mailbox) {
    const MutexLock lock(mutex_);
    const auto found = files_.find(file);
    if (found == files_.end()) {
        return;
    }
    const Slot& slot = slots_.at(found->second);
    if (slot.members.at(file).get() == &mailbox) {
        drop(found->second, file);
        files_.erase(found);
    }
}

std::size_t Matching::groups() const {
    const MutexLock lock(mutex_);
    return slots_.size();
}

// Entries

void Matching::concern(Number version, Slot& slot) {
    std::vector<Number>& versions = matched_[slot.number];
    if (versions.empty() || versions.back() != version) {
        versions.push_back(version);
    }
}

void Matching::match(Number version, const std::string& class_name, const Image& image) {
    if (!image.exists()) {
        return;
    }
    candidates_.clear();
    index_.find(class_name, image.bson(), candidates_);
    for (const std::uint32_t number : candidates_) {
        Slot& slot = slots_.at(by_number_[number]);
        const auto known = matched_.find(number);
        const bool is_known = known != matched_.end() && known->second.back() == version;
        if (!is_known && slot.group->view().holds(class_name, image)) {
            concern(version, slot);
        }
    }
}

void Matching::match(Number version, const Entry& entry) {
    if (entry.head().kind != EntryKind::change) {
        return; // points and resets are their files' own
    }
    const CutChangeset& cut = entry.cut();
    if (!cut.schema.empty()) {
        for (auto& [key, slot] : slots_) {
            concern(version, slot);
        }
        return;
    }
    for (std::size_t i = 0; i < cut.parts.size(); ++i) {
        const std::string& class_name = cut.parts[i].object.class_name;
        if (i < entry.images().size()) {
            match(version, class_name, entry.images()[i].before);
            match(version, class_name, entry.images()[i].after);
            continue;
        }
        for (auto& [key, slot] : slots_) {
            if (slot.group->view().sees_class(class_name)) {
                concern(version, slot);
            }
        }
    }
}

void Matching::match(const Entries& entries) {
    const MutexLock lock(mutex_);
    matched_.clear();
    if (slots_.empty()) {
        return;
    }
    for (const auto& [version, entry] : entries) {
        match(version, *entry);
    }
}

Matching::Woken Matching::record(Number top) {
    const MutexLock lock(mutex_);
    Woken woken;
    for (const auto& [number, versions] : matched_) {
        const Slot& slot = slots_.at(by_number_[number]);
        for (const Number version : versions) {
            slot.group->record(version);
        }
        for (const auto& [file, mailbox] : slot.members) {
            woken.push_back(mailbox); // in no other group
        }
    }
    matched_.clear();
    top_ = top;
    return woken;
}

void Matching::forget_match() {
    const MutexLock lock(mutex_);
    matched_.clear();
}

} // namespace tombolo::server::sync
