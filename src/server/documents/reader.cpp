#include "server/documents/reader.hpp"

namespace tombolo::documents {

namespace {

/// Documents between two looks at the clock.
constexpr std::size_t clock_interval = 64;

} // namespace

Reader::Reader(const CollectionView& view, const mql::Filter* filter)
    : view_(view), filter_(filter) {}

Reader::Reader(const CollectionView& view, const mql::Filter* filter, std::string key)
    : Reader(view, filter) {
    started_ = true;
    plan_.kind = Plan::Kind::keys;
    plan_.keys.push_back(std::move(key));
}

Reader::~Reader() = default;

std::string Reader::hidden_by() const {
    std::string out;
    for (const std::string& role : hiding_roles_) {
        out += (out.empty() ? "" : ", ") + (role.empty() ? std::string("(none)") : role);
    }
    return out;
}

mql::BsonDocumentView Reader::shown() const noexcept {
    return whole_ ? stored_ : shown_;
}

Result<void> Reader::start() {
    started_ = true;
    std::vector<mql::BsonDocumentView> filters;
    std::vector<mql::BsonDocument> queries; // what `filters` borrows from
    if (view_.access != nullptr) {
        if (auto query = view_.access->read_query()) {
            queries.push_back(*std::move(query));
        }
        for (const rules::Predicate& predicate : view_.access->filter_queries()) {
            if (auto query = predicate.query()) {
                queries.push_back(*std::move(query));
            }
        }
    }
    filters.assign(queries.begin(), queries.end());
    // A filter's projection may give fields other values than the stored ones, which an index has.
    const bool computed = view_.access != nullptr && !view_.access->filter_projections().empty();
    if (filter_ != nullptr && !computed) {
        filters.push_back(filter_->spec());
    }
    TOMBOLO_TRY(const auto indexes, view_.store.indexes(*view_.id));
    plan_ = make_plan(filters, indexes);
    if (plan_.kind == Plan::Kind::scan) {
        cursor_ = view_.snapshot.scan(*view_.id);
    }
    return {};
}

Result<bool> Reader::next() {
    if (!view_.id) {
        return false;
    }
    if (!started_) {
        TOMBOLO_TRY_VOID(start());
    }
    for (;;) {
        if (++looked_at_ % clock_interval == 0 &&
            std::chrono::steady_clock::now() > view_.deadline) {
            return Error(ErrorCode::limit_exceeded,
                         "the operation takes too long; narrow its filter or add an index");
        }
        TOMBOLO_TRY(const bool more, next_candidate());
        if (!more) {
            return false;
        }
        TOMBOLO_TRY(const bool matches, judge());
        if (matches) {
            return true;
        }
    }
}

Result<bool> Reader::next_candidate() {
    if (plan_.kind == Plan::Kind::keys) {
        return next_of_keys();
    }
    for (;;) {
        if (cursor_ != nullptr) {
            TOMBOLO_TRY(const bool more, next_of_cursor());
            if (more) {
                return true;
            }
        }
        if (plan_.kind == Plan::Kind::scan || position_ == plan_.ranges.size()) {
            return false;
        }
        TOMBOLO_TRY(cursor_,
                    view_.snapshot.scan_index(*view_.id, plan_.index, plan_.ranges[position_++]));
    }
}

Result<bool> Reader::next_of_keys() {
    while (position_ < plan_.keys.size()) {
        key_ = plan_.keys[position_++];
        TOMBOLO_TRY(held_, view_.snapshot.find(*view_.id, key_));
        if (held_) {
            stored_ = held_->body;
            modified_ = held_->modified;
            return true;
        }
    }
    return false;
}

Result<bool> Reader::next_of_cursor() {
    while (cursor_->next()) {
        if (plan_.kind == Plan::Kind::index && !seen_.emplace(cursor_->key()).second) {
            continue;
        }
        key_ = cursor_->key();
        stored_ = cursor_->document();
        modified_ = cursor_->modified();
        return true;
    }
    TOMBOLO_TRY_VOID(cursor_->status());
    cursor_.reset();
    return false;
}

Result<bool> Reader::judge() {
    whole_ = true;
    if (view_.access != nullptr) {
        for (const rules::Predicate& query : view_.access->filter_queries()) {
            rules::Subject subject;
            subject.root = stored_;
            TOMBOLO_TRY(const bool matches, query.test(subject));
            if (!matches) {
                return false;
            }
        }
        const rules::Visible visible = view_.access->read(stored_);
        if (visible.kind == rules::Visible::Kind::hidden) {
            ++hidden_;
            if (hiding_roles_.find(visible.role) == hiding_roles_.end()) {
                hiding_roles_.emplace(visible.role);
            }
            return false;
        }
        if (visible.kind == rules::Visible::Kind::fields) {
            whole_ = false;
            shown_ = visible.document;
        }
        for (const mql::Projection& projection : view_.access->filter_projections()) {
            mql::EvaluationInput input;
            input.now_ms = view_.now_ms;
            TOMBOLO_TRY(projected_, projection.apply(shown(), input));
            shown_ = projected_;
            whole_ = false;
        }
    }
    details_ = {};
    if (filter_ == nullptr) {
        return true;
    }
    mql::EvaluationInput input;
    input.now_ms = view_.now_ms;
    return filter_->matches(shown(), input, &details_);
}

} // namespace tombolo::documents
