// The batch that is made while the one before is on its way to the disk.
//
// Only uploads (and MARKs) come into it, on top of a batch of such that ended no session: so what
// the one below still has to do when it is durable is known and kept (told_, its Batch), and when
// it fails, the inputs of both are tried again in their order. Nothing of a batch ahead is
// committed, or seen by anybody, before the one below is durable.

#include "server/sync/engine/engine_impl.hpp"

namespace tombolo::server::sync {

bool EngineImpl::is_plain(const Input& input) {
    return std::holds_alternative<UploadInput>(input.what) ||
           std::holds_alternative<MarkInput>(input.what);
}

/// Enough uploads wait for a batch on top of the one that is being committed.
bool EngineImpl::wants_ahead() const {
    return is_committing_ && is_plain_ && !ahead_ && one_by_one_ == 0 && !published_.has_failed &&
           !inputs_.empty() && inputs_bytes_ >= options_.ahead_bytes &&
           may_be_ahead(inputs_.front());
}

/// What is behind the upload that ended its session is another matter.
bool EngineImpl::may_be_ahead(const Input& input) {
    return is_plain(input) && !input.mailbox->is_dead;
}

void EngineImpl::go_ahead() {
    std::deque<Input> inputs;
    {
        const MutexLock lock(mutex_);
        if (!wants_ahead()) {
            return;
        }
        inputs = take_inputs(true);
        ++statistics_.batches_ahead;
    }
    host_.told();
    integrator_.begin_ahead();
    ended_session_ = false;
    ahead_.emplace(Ahead{{}, {}, store::Transaction(), false, {}});
    const Clock::Monotonic began = clock_.monotonic();
    if (const Result<void> done = integrate_ahead(std::move(inputs)); !done) {
        ahead_->transaction = done.error();
        return;
    }
    ahead_->transaction = integrator_.finish();
    ahead_->told = files_to_tell(ahead_->inputs);
    ahead_->is_plain = !ended_session_;
    ahead_->took = clock_.monotonic() - began;
}

Result<void> EngineImpl::integrate_ahead(std::deque<Input> inputs) {
    Result<void> done;
    while (!inputs.empty() && done && !ended_session_) {
        Input input = std::move(inputs.front());
        inputs.pop_front();
        done = process(input);
        ahead_->inputs.push_back(std::move(input));
    }
    put_back(std::move(inputs)); // behind one that ended its session
    return done;
}

/// REQUIRES: the batch below is published.
void EngineImpl::commit_ahead() {
    Ahead made = *std::exchange(ahead_, std::nullopt);
    in_flight_ = std::move(made.inputs);
    told_ = std::move(made.told);
    integrate_began_ = clock_.monotonic() - made.took; // what lies between is the other's commit
    if (!made.transaction) {
        integrator_.abandon();
        give_up(made.transaction.error());
        return;
    }
    is_plain_ = made.is_plain && integrator_.may_go_ahead();
    if (made.transaction->empty()) {
        publish(store_.newest_version());
        return;
    }
    commit(*std::move(made.transaction), false);
    matching_.match(integrator_.batch().entries()); // while the disk works
}

/// The batch below failed, so nothing of this one happened either.
void EngineImpl::take_back_ahead() {
    if (ahead_) {
        take_back(std::move(ahead_->inputs));
        ahead_.reset();
    }
}

} // namespace tombolo::server::sync
