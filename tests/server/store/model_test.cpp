// Random transactions against a model that keeps every version whole.

#include <future>
#include <map>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "server/store/store_fixture.hpp"

namespace tombolo::store {
namespace {

// id -> (a, b); b is unique.
struct Row {
    std::int64_t a = 0;
    std::int64_t b = 0;
    friend bool operator==(const Row&, const Row&) = default;
};
using State = std::map<std::int64_t, Row>;

struct Step {
    enum class Kind { insert, put, erase };
    Kind kind = Kind::put;
    std::int64_t id = 0;
    Row row;
};

Step random_step() {
    return {static_cast<Step::Kind>(*rc::gen::inRange(0, 3)),
            *rc::gen::inRange(0, 5),
            {*rc::gen::inRange(0, 4), *rc::gen::inRange(0, 8)}};
}

mql::BsonDocument to_document(std::int64_t id, const Row& row) {
    mql::BsonWriter writer;
    writer.append_int64("_id", id);
    writer.append_int64("a", row.a);
    writer.append_int64("b", row.b);
    return std::move(writer).finish();
}

// The state after the transaction, or nothing when it must fail.
std::optional<State> apply(State state, const std::vector<Step>& steps) {
    for (const Step& step : steps) {
        if (step.kind == Step::Kind::erase) {
            state.erase(step.id);
        } else if (step.kind == Step::Kind::insert && state.contains(step.id)) {
            return std::nullopt;
        } else {
            state[step.id] = step.row;
        }
    }
    std::map<std::int64_t, int> unique;
    for (const auto& [id, row] : state) {
        if (++unique[row.b] > 1) {
            return std::nullopt;
        }
    }
    return state;
}

Row read(mql::BsonDocumentView body) {
    Row row;
    body.find("a").to_int64(row.a);
    body.find("b").to_int64(row.b);
    return row;
}

class ModelRun {
  public:
    ModelRun() {
        options_.directory = (folder_.path() / "store").string();
        options_.planted_bug_skip_sync = true; // durability is not what this test is about
        open();
        states_.push_back({});
    }

    void open() {
        store_.reset();
        store_ = open_embedded(options_).value();
        collection_ = store_->ensure_collection({"s", "d", "c"}).value();
        store_->ensure_index(collection_, {"a", {{"a"}}, false}).value();
        store_->ensure_index(collection_, {"b", {{"b"}}, true}).value();
    }

    // Several transactions submitted at once, so that they may share a group.
    void commit(const std::vector<std::vector<Step>>& transactions) {
        std::vector<std::promise<Result<Version>>> answers(transactions.size());
        for (std::size_t i = 0; i < transactions.size(); ++i) {
            Transaction transaction;
            for (const Step& step : transactions[i]) {
                if (step.kind == Step::Kind::erase) {
                    transaction.erase(collection_, key_of(step.id));
                } else if (step.kind == Step::Kind::insert) {
                    transaction.insert(collection_, to_document(step.id, step.row));
                } else {
                    transaction.put(collection_, to_document(step.id, step.row));
                }
            }
            store_->commit_async(std::move(transaction), [&answers, i](Result<Version> answer) {
                answers[i].set_value(std::move(answer));
            });
        }
        for (std::size_t i = 0; i < transactions.size(); ++i) {
            const Result<Version> answer = answers[i].get_future().get();
            const std::optional<State> expected = apply(states_.back(), transactions[i]);
            RC_ASSERT(answer.has_value() == expected.has_value());
            if (expected) {
                states_.push_back(*expected);
                RC_ASSERT(number(*answer) == states_.size() - 1);
            }
        }
    }

    void check() const {
        const auto snapshot = store_->snapshot();
        RC_ASSERT(number(snapshot->version()) == states_.size() - 1);
        for (std::size_t version = 0; version < states_.size(); ++version) {
            for (std::int64_t id = 0; id < 5; ++id) {
                const auto found =
                    snapshot->find_at(collection_, key_of(id), Version{version}).value();
                const auto expected = states_[version].find(id);
                RC_ASSERT(found.has_value() == (expected != states_[version].end()));
                if (found) { // RC_ASSERT would evaluate both sides of an ||
                    RC_ASSERT(read(found->body.view()) == expected->second);
                }
            }
        }
        State scanned;
        for (const auto cursor = snapshot->scan(collection_, {}); cursor->next();) {
            std::int64_t id = 0;
            cursor->document().find("_id").to_int64(id);
            scanned[id] = read(cursor->document());
        }
        RC_ASSERT(scanned == states_.back());
        for (std::int64_t a = 0; a < 4; ++a) {
            IndexRange range;
            range.equal.push_back(mql::BsonValue::from_int64(a));
            std::size_t found = 0;
            const auto cursor = snapshot->scan_index(collection_, "a", range).value();
            while (cursor->next()) {
                RC_ASSERT(read(cursor->document()).a == a);
                ++found;
            }
            std::size_t expected = 0;
            for (const auto& [id, row] : states_.back()) {
                expected += row.a == a ? 1 : 0;
            }
            RC_ASSERT(found == expected);
        }
        RC_ASSERT(store_->verify().value().problems.empty());
    }

  private:
    TemporaryFolder folder_;
    EmbeddedOptions options_;
    std::unique_ptr<Store> store_;
    CollectionId collection_{};
    std::vector<State> states_;
};

TEST(StoreModel, random_transactions_agree_with_the_model_at_every_version) {
    const bool held = rc::check("store agrees with the model", [] {
        ModelRun run;
        const int rounds = *rc::gen::inRange(1, 5);
        for (int round = 0; round < rounds; ++round) {
            const auto transactions = *rc::gen::container<std::vector<std::vector<Step>>>(
                rc::gen::container<std::vector<Step>>(rc::gen::exec(random_step)));
            run.commit(transactions);
            if (*rc::gen::inRange(0, 8) == 0) {
                run.open();
            }
        }
        run.check();
    });
    EXPECT_TRUE(held);
}

} // namespace
} // namespace tombolo::store
