// The predicate index and the groups against asking every view about every document.

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "server/sync/engine/matching.hpp"
#include "server/sync/engine/session_impl.hpp"
#include "sim/engine_world.hpp"
#include "support/property.hpp"
#include "support/random_schema.hpp"

namespace tombolo::server::sync {

namespace {

using schema::ClassSchema;
using schema::CollectionKind;
using schema::Property;
using schema::PropertyType;
using testing::Choices;

Property property(const char* name, PropertyType type,
                  CollectionKind collection = CollectionKind::none) {
    Property result;
    result.name = name;
    result.type = type;
    result.collection = collection;
    result.nullable = collection == CollectionKind::none;
    return result;
}

std::shared_ptr<const Model> make_model() {
    SyncModel model;
    for (const char* name : {"A", "B"}) {
        ClassSchema of(name);
        Property key = property("_id", PropertyType::integer);
        key.primary_key = true;
        key.nullable = false;
        of.add(key)
            .add(property("i", PropertyType::integer))
            .add(property("s", PropertyType::string))
            .add(property("d", PropertyType::float64))
            .add(property("m", PropertyType::mixed))
            .add(property("n", PropertyType::decimal128))
            .add(property("t", PropertyType::timestamp))
            .add(property("b", PropertyType::boolean))
            .add(property("l", PropertyType::integer, CollectionKind::list));
        model.documents.schema.add(std::move(of));
        model.documents.places[name] = {"source", sim::fresh_database(), name};
    }
    return Model::make(std::move(model), sim::shared_store()).value();
}

std::string number(Choices& choices) {
    static const std::vector<std::string> numbers = {"0", "1", "2", "3", "-1", "1.5", "2.0"};
    return choices.one_of(numbers);
}

std::string comparison(Choices& choices) {
    static const std::vector<std::string> orders = {"==", "!=", "<", "<=", ">", ">="};
    static const std::vector<std::string> strings = {"\"\"", "\"a\"", "\"b\"", "null"};
    switch (choices.pick(12)) {
    case 0:
        return "s " + choices.one_of<std::string>({"==", "!="}) + " " + choices.one_of(strings);
    case 1:
        return "s BEGINSWITH \"a\"";
    case 2:
        return "d " + choices.one_of(orders) + " " + number(choices);
    case 3:
        return "m " + choices.one_of(orders) + " " + number(choices);
    case 4:
        return "m == " + choices.one_of(strings);
    case 5:
        return "n " + choices.one_of(orders) + " " + number(choices);
    case 6:
        return "t " + choices.one_of(orders) + " T5:" + std::to_string(1'000'000 * choices.pick(3));
    case 7:
        return choices.percent(50) ? "b == true" : "b == null";
    case 8:
        return "ANY l " + choices.one_of(orders) + " " + std::to_string(choices.pick(4));
    case 9:
        return "i IN {" + std::to_string(choices.pick(4)) + ", " + std::to_string(choices.pick(4)) +
               "}";
    case 10:
        return "i == null";
    default:
        return "i " + choices.one_of(orders) + " " + std::to_string(choices.pick(4));
    }
}

std::string predicate(Choices& choices, int depth = 2) {
    if (depth == 0 || choices.percent(35)) {
        return choices.percent(8) ? choices.one_of<std::string>({"TRUEPREDICATE", "FALSEPREDICATE"})
                                  : comparison(choices);
    }
    const std::string left = predicate(choices, depth - 1);
    const std::string right = predicate(choices, depth - 1);
    return choices.percent(15)
               ? "NOT (" + left + ")"
               : "(" + left + (choices.percent(50) ? ") AND (" : ") OR (") + right + ")";
}

void append_number(mql::BsonWriter& out, const char* name, Choices& choices) {
    const auto value = static_cast<std::int64_t>(choices.pick(5)) - 1;
    if (choices.percent(40)) {
        out.append_double(name, static_cast<double>(value) + (choices.percent(50) ? 0.5 : 0.0));
    } else {
        out.append_int64(name, value);
    }
}

Image document(Choices& choices) {
    if (choices.percent(15)) {
        return {};
    }
    mql::BsonWriter out;
    out.append_int64("_id", 1);
    const auto is_there = [&] { return choices.percent(75); };
    if (is_there()) {
        out.append_int64("i", choices.pick(5));
    }
    if (is_there()) {
        out.append_string("s", choices.one_of<std::string>({"", "a", "ab", "b"}));
    }
    if (is_there()) {
        out.append_double("d", 0.5 * choices.pick(8) - 1);
    }
    if (is_there()) {
        append_number(out, "m", choices);
    }
    if (is_there()) {
        out.append_date_ms("t", 5000 + std::int64_t{choices.pick(3)});
    }
    if (is_there()) {
        out.append_bool("b", choices.percent(50));
    }
    if (is_there()) {
        const auto value = static_cast<std::int64_t>(choices.pick(4));
        out.append("n", mql::BsonValue::from_decimal(Decimal128::from_int64(value)));
    }
    if (is_there()) {
        out.begin_array("l");
        for (std::uint32_t i = 0; i < choices.pick(3); ++i) {
            out.append_int64({}, choices.pick(4));
        }
        out.end();
    }
    Image image;
    image.document =
        std::make_shared<const std::string>(as_text(std::move(out).finish().view().bytes()));
    image.is_syncable = choices.percent(90);
    return image;
}

std::shared_ptr<const View> view(const std::shared_ptr<const Model>& model, ViewCache& cache,
                                 Choices& choices) {
    Role role;
    std::string body;
    for (const char* name : {"A", "B"}) {
        if (choices.percent(80)) {
            std::string query = predicate(choices);
            for (std::size_t at = 0; (at = query.find('"', at)) != std::string::npos; at += 2) {
                query.insert(at, "\\");
            }
            body += (body.empty() ? "{\"" : ",\"") + std::string(name) + "\":\"" + query + "\"";
        }
        role.classes[name].read = choices.percent(40) ? "TRUEPREDICATE" : predicate(choices);
    }
    return cache.get(model, make_epoch(1, 1, body.empty() ? "{}" : body + "}",
                                       std::make_shared<const Role>(role)));
}

/// A history of two objects in each class, entry by entry, with the images around.
class Objects {
  public:
    std::shared_ptr<const Entry> next(Choices& choices) {
        changeset::ChangesetBuilder out;
        std::vector<Entry::Images> images;
        std::set<std::string> named;
        for (std::uint32_t i = 0; i <= choices.pick(2); ++i) {
            const std::string name = choices.percent(50) ? "A" : "B";
            if (!named.insert(name).second) {
                continue;
            }
            Image& now = now_[name];
            Image after = document(choices);
            out.update({name, std::int64_t{1}, "i"}, std::int64_t{0}); // what it says is no matter
            images.push_back({now, after});
            now = std::move(after);
        }
        auto entry = std::make_shared<Entry>(HistoryEntry(), CutChangeset(out.finish().value()));
        entry->set_images(std::move(images));
        return entry;
    }

  private:
    std::map<std::string, Image> now_;
};

bool concerns(const View& view, const Entry& entry) {
    for (std::size_t i = 0; i < entry.images().size(); ++i) {
        const std::string& name = entry.cut().parts[i].object.class_name;
        if (view.holds(name, entry.images()[i].before) ||
            view.holds(name, entry.images()[i].after)) {
            return true;
        }
    }
    return false;
}

void index_finds_what_naive_matching_finds(std::uint64_t seed) {
    static const std::shared_ptr<const Model> model = make_model();
    Choices choices(seed);
    ViewCache cache;
    PredicateIndex index;
    std::map<std::uint32_t, std::shared_ptr<const View>> views;
    for (std::uint32_t step = 0; step < 60; ++step) {
        if (choices.percent(70)) {
            views[step] = view(model, cache, choices);
            index.add(step, *views[step]);
        } else if (!views.empty()) {
            const auto victim =
                std::next(views.begin(), choices.pick(static_cast<std::uint32_t>(views.size())));
            index.remove(victim->first, *victim->second);
            views.erase(victim);
        }
        const std::string name = choices.percent(50) ? "A" : "B";
        const Image image = document(choices);
        if (!image.exists()) {
            continue;
        }
        std::vector<std::uint32_t> found;
        index.find(name, image.bson(), found);
        for (const auto& [number, each] : views) {
            const bool is_found = std::count(found.begin(), found.end(), number) == 1;
            RC_ASSERT(is_found || !each->selects(name, image.bson()));
        }
        for (const std::uint32_t number : found) {
            RC_ASSERT(views.contains(number));
        }
    }
}

/// Sessions come, change their views and go while entries are committed.
void groups_remember_what_concerns_them(std::uint64_t seed) {
    static const std::shared_ptr<const Model> model = make_model();
    Choices choices(seed);
    ViewCache cache;
    Matching matching;
    Objects objects;
    struct Session {
        std::shared_ptr<Mailbox> mailbox = std::make_shared<Mailbox>();
        std::shared_ptr<const View> view;
        std::shared_ptr<ViewGroup> group;
        Number since = 0;
    };
    std::map<Number, Session> sessions;
    std::map<Number, std::shared_ptr<const Entry>> history;
    Number top = 0;
    for (int step = 0; step < 40; ++step) {
        const Number file = 2 + choices.pick(6);
        if (choices.percent(20) && sessions.contains(file)) {
            matching.leave(file, *sessions[file].mailbox);
            sessions.erase(file);
        } else if (choices.percent(50)) {
            Session& session = sessions[file];
            session.view = view(model, cache, choices);
            session.group = matching.join(file, session.mailbox, session.view, top);
            session.since = top;
        }
        Matching::Entries batch;
        for (std::uint32_t i = 0; i < choices.pick(4); ++i) {
            ++top;
            history[top] = batch[top] = objects.next(choices);
        }
        matching.match(batch);
        const Matching::Woken woken = matching.record(top);
        for (const auto& each_session : sessions) {
            const Session& session = each_session.second;
            const bool is_woken =
                std::find(woken.begin(), woken.end(), session.mailbox) != woken.end();
            const bool should = std::any_of(batch.begin(), batch.end(), [&](const auto& each) {
                return concerns(*session.view, *each.second);
            });
            RC_ASSERT(is_woken == should);
            Number cursor = session.since;
            while (cursor < top) {
                const ViewGroup::Next next = session.group->next(cursor, top);
                RC_ASSERT(next.is_known);
                for (Number version = cursor + 1; version <= top; ++version) {
                    const bool is_next = version == next.version;
                    RC_ASSERT(version > next.version ||
                              is_next == concerns(*session.view, *history[version]));
                }
                cursor = next.version;
            }
        }
    }
}

} // namespace

TEST(Matching, the_index_finds_what_asking_every_view_finds) {
    testing::expect_property("index against naive matching", 300, 20'000, [] {
        index_finds_what_naive_matching_finds(*rc::gen::arbitrary<std::uint64_t>());
    });
}

TEST(Matching, groups_are_told_of_and_remember_exactly_what_concerns_them) {
    testing::expect_property("groups against naive matching", 200, 20'000, [] {
        groups_remember_what_concerns_them(*rc::gen::arbitrary<std::uint64_t>());
    });
}

TEST(Matching, views_that_differ_in_order_spelling_and_write_filters_are_one_group) {
    const std::shared_ptr<const Model> model = make_model();
    ViewCache cache;
    Matching matching;
    Role writer;
    writer.classes["A"].write = "s == \"me\"";
    const auto first = cache.get(model, make_epoch(1, 1, R"({"A":"i == 1 AND s == \"a\""})",
                                                   std::make_shared<const Role>()));
    const auto second = cache.get(model, make_epoch(1, 1, R"({"A":"(s == \"a\") && 1 == i"})",
                                                    std::make_shared<const Role>(writer)));
    const auto third = cache.get(model, make_epoch(1, 1, R"({"A":"i == 2 AND s == \"a\""})",
                                                   std::make_shared<const Role>()));
    const auto box = std::make_shared<Mailbox>();

    const auto group = matching.join(2, box, first, 0);
    EXPECT_EQ(matching.join(3, box, second, 0), group);
    EXPECT_NE(matching.join(4, box, third, 0), group);
    EXPECT_EQ(matching.groups(), 2U);
}

TEST(Matching, a_group_that_forgot_says_so) {
    const std::shared_ptr<const Model> model = make_model();
    ViewCache cache;
    const auto view =
        cache.get(model, make_epoch(1, 1, R"({"A":"i == 1"})", std::make_shared<const Role>()));
    ViewGroup group(view, 10);
    EXPECT_FALSE(group.next(9, 20).is_known);
    EXPECT_EQ(group.next(10, 20).version, 21U);
    group.record(15);
    EXPECT_EQ(group.next(10, 20).version, 15U);
    EXPECT_EQ(group.next(10, 12).version, 13U);
    for (Number version = 100; version < 100 + ViewGroup::remembered_max; ++version) {
        group.record(version);
    }
    EXPECT_FALSE(group.next(10, 200).is_known);
    EXPECT_EQ(group.next(15, 200).version, 100U);
    group.end(150);
    EXPECT_EQ(group.next(120, 150).version, 121U);
    EXPECT_FALSE(group.next(150, 151).is_known);
    ViewGroup quiet(view, 10);
    quiet.end(30);
    EXPECT_EQ(quiet.next(10, 20).version, 21U);
    EXPECT_EQ(quiet.next(10, 99).version, 31U);
}

} // namespace tombolo::server::sync
