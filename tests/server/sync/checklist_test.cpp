// Lines of device-sync-server.md 11 that no other test is about, named by them; and the table of
// all lines in docs/internals/sync-checklist.md, held against the tests that there are.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>

#include "server/sync/scenario.hpp"

namespace tombolo::sim {

namespace {

namespace fs = std::filesystem;

std::string content_of(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// "Suite.name" of every test.
std::set<std::string> all_tests(const fs::path& folder) {
    const std::regex test(R"(\nTEST(?:_F|_P)?\((\w+),\s*(\w+)\))");
    std::set<std::string> found;
    for (const auto& each : fs::recursive_directory_iterator(folder)) {
        if (each.path().extension() != ".cpp") {
            continue;
        }
        const std::string text = content_of(each.path());
        for (std::sregex_iterator at(text.begin(), text.end(), test), end; at != end; ++at) {
            found.insert((*at)[1].str() + "." + (*at)[2].str());
        }
    }
    return found;
}

/// The lines of the chapter's checklist: how many each letter has.
const std::map<char, int> lines = {{'A', 14}, {'B', 12}, {'C', 9}, {'D', 15}, {'E', 6},
                                   {'F', 13}, {'G', 6},  {'H', 8}, {'I', 6}};

class SyncChecklist : public SyncScenario {
  protected:
    static std::size_t list_size(const SyncDevice& of, std::int64_t key) {
        return object(of, key)->fields.find("l")->get_if<List>()->elements.size();
    }
    void append(SyncDevice& by, std::int64_t key, std::int64_t value) {
        const auto size = static_cast<std::uint32_t>(list_size(by, key));
        write(by, [&](ChangesetBuilder& out) {
            out.array_insert({"T", key, "l", {size}}, value, size);
        });
    }
};

} // namespace

TEST(SyncChecklistTable, names_tests_that_exist_for_every_line) {
    const fs::path data = TOMBOLO_TEST_DATA;
    const std::set<std::string> tests = all_tests(data);
    ASSERT_GT(tests.size(), 1000U);
    const std::string table = content_of(data / ".." / "docs/internals/sync-checklist.md");
    const std::regex row(R"(\n\| ([A-I])(\d+) \| ([^\n]*))");
    const std::regex name(R"(`(\w+\.\w+)`)");
    std::set<std::string> seen;
    for (std::sregex_iterator at(table.begin(), table.end(), row), end; at != end; ++at) {
        const std::string line = (*at)[1].str() + (*at)[2].str();
        EXPECT_TRUE(seen.insert(line).second) << line << " is there twice";
        const std::string rest = (*at)[3].str();
        std::size_t named = 0;
        for (std::sregex_iterator test(rest.begin(), rest.end(), name); test != end; ++test) {
            EXPECT_EQ(tests.count((*test)[1].str()), 1U) << line << ": no test " << (*test)[1];
            ++named;
        }
        EXPECT_TRUE(named > 0 || rest.find("Not tested") != std::string::npos) << line;
    }
    for (const auto& [letter, count] : lines) {
        for (int number = 1; number <= count; ++number) {
            EXPECT_EQ(seen.count(letter + std::to_string(number)), 1U) << letter << number;
        }
    }
}

TEST_F(SyncChecklist, c8_another_devices_edit_moves_an_object_out_of_view_and_back) {
    SyncDevice& a = device("a", "q == 1");
    SyncDevice& b = device("b", "TRUEPREDICATE");
    create(b, 1, 2);
    exchange();
    EXPECT_EQ(object(a, 1), nullptr);
    set(b, 1, "q", 1);
    exchange();
    EXPECT_EQ(field(a, 1, "q"), 1);
    set(b, 1, "q", 3);
    exchange();
    EXPECT_EQ(object(a, 1), nullptr);
}

TEST_F(SyncChecklist, e1_a_deletion_beats_an_update_in_both_orders_and_whatever_the_clocks) {
    SyncDevice& a = device("a", "TRUEPREDICATE");
    SyncDevice& b = device("b", "TRUEPREDICATE");
    std::int64_t key = 0;
    for (const bool deletes_first : {true, false}) {
        for (const bool is_older : {true, false}) {
            create(a, ++key, 1);
            exchange();
            SyncDevice& first = deletes_first ? a : b;
            SyncDevice& second = deletes_first ? b : a;
            second.disconnect();
            const auto change = [&](SyncDevice& by, bool deletes, std::uint64_t time) {
                ChangesetBuilder out;
                if (deletes) {
                    out.erase_object("T", key);
                } else {
                    out.update({"T", key, "x"}, std::int64_t{9});
                }
                by.commit(out.finish().value(), time);
            };
            world_.clock().advance(std::chrono::hours(2));
            const std::uint64_t now = world_.now();
            change(first, deletes_first, is_older ? now - 3'600'000 : now);
            change(second, !deletes_first, is_older ? now : now - 3'600'000);
            exchange();
            second.connect(world_.engine());
            exchange();
            EXPECT_EQ(object(a, key), nullptr);
            EXPECT_EQ(object(b, key), nullptr);
            EXPECT_EQ(stored(key, "q"), "");
        }
    }
}

TEST_F(SyncChecklist, e2_concurrent_appends_keep_both_in_order_of_time_everywhere) {
    SyncDevice& a = device("a", "TRUEPREDICATE");
    SyncDevice& b = device("b", "TRUEPREDICATE");
    SyncDevice& c = device("c", "TRUEPREDICATE");
    create(a, 1, 1);
    exchange();
    a.disconnect();
    append(a, 1, 10); // earlier, arrives later
    append(b, 1, 20);
    exchange();
    a.connect(world_.engine());
    exchange();
    for (const SyncDevice* each : {&a, &b, &c}) {
        const auto& list = object(*each, 1)->fields.find("l")->get_if<List>()->elements;
        ASSERT_EQ(list.size(), 2U);
        EXPECT_EQ(*list[0].get_if<std::int64_t>(), 10);
        EXPECT_EQ(*list[1].get_if<std::int64_t>(), 20);
    }
}

TEST_F(SyncChecklist, e3_a_hundred_increments_of_a_hundred_devices_add_up) {
    SyncDevice& first = device("0", "TRUEPREDICATE");
    create(first, 1, 1);
    exchange();
    std::vector<SyncDevice*> all = {&first};
    for (int i = 1; i < 100; ++i) {
        all.push_back(&device(std::to_string(i), "TRUEPREDICATE"));
    }
    for (SyncDevice* each : all) {
        write(*each, [](ChangesetBuilder& out) {
            for (int i = 0; i < 100; ++i) {
                out.add_integer({"T", std::int64_t{1}, "x"}, 1);
            }
        });
    }
    exchange();
    EXPECT_EQ(stored(1, "x"), "10000");
    EXPECT_EQ(field(*all.back(), 1, "x"), 10'000);
}

namespace {

server::sync::SyncModel with_dictionary() {
    server::sync::SyncModel model = World::model_of_views(fresh_database());
    schema::Property property;
    property.name = "d";
    property.type = schema::PropertyType::integer;
    property.collection = schema::CollectionKind::dictionary;
    model.documents.schema.find("T")->add(std::move(property));
    return model;
}

class DictionaryScenario : public SyncScenario {
  protected:
    DictionaryScenario() : SyncScenario(4, with_dictionary()) {}

    void put_key(SyncDevice& by, std::int64_t key, std::int64_t value) {
        write(by, [&](ChangesetBuilder& out) { out.update({"T", key, "d", {"k"}}, value); });
    }
    void remove_key(SyncDevice& by, std::int64_t key) {
        write(by, [&](ChangesetBuilder& out) {
            out.update({"T", key, "d", {"k"}}, changeset::PayloadType::erased);
        });
    }
    /// Of the key; -1: it is not there.
    static std::int64_t value(const SyncDevice& of, std::int64_t key) {
        const Value* found = object(of, key)->fields.find("d")->get_if<Dictionary>()->find("k");
        return found == nullptr ? -1 : *found->get_if<std::int64_t>();
    }
    std::string stored_value(std::int64_t key) {
        const auto found = shared_store().snapshot()->find(
            *shared_store().find_collection({"source", database_, "T"}),
            *store::document_key(mql::BsonValue::from_int64(key)));
        std::int64_t value = 0;
        const auto dictionary = (*found)->body.view().find("d");
        return dictionary.is_document() && dictionary.as_document().find("k").to_int64(value)
                   ? std::to_string(value)
                   : "";
    }
};

} // namespace

TEST_F(DictionaryScenario, e4_a_removal_of_a_key_and_an_update_the_later_one_stays) {
    SyncDevice& a = device("a", "TRUEPREDICATE");
    SyncDevice& b = device("b", "TRUEPREDICATE");
    for (const std::int64_t key : {1, 2, 3, 4}) {
        create(a, key, 1);
        put_key(a, key, 5);
    }
    exchange();
    // Both ways of who comes first; 1 and 2: removed, then updated; 3 and 4: the other way round.
    a.disconnect();
    remove_key(a, 1);
    remove_key(b, 2);
    put_key(b, 1, 6);
    put_key(a, 2, 6);
    put_key(a, 3, 7);
    put_key(b, 4, 7);
    remove_key(b, 3);
    remove_key(a, 4);
    exchange();
    a.connect(world_.engine());
    exchange();
    for (const SyncDevice* each : {&a, &b}) {
        EXPECT_EQ(value(*each, 1), 6);
        EXPECT_EQ(value(*each, 2), 6);
        EXPECT_EQ(value(*each, 3), -1);
        EXPECT_EQ(value(*each, 4), -1);
    }
    EXPECT_EQ(stored_value(1), "6");
    EXPECT_EQ(stored_value(2), "6");
    EXPECT_EQ(stored_value(3), "");
    EXPECT_EQ(stored_value(4), "");
}

TEST_F(SyncChecklist, f12_the_transaction_field_of_app_services_reaches_no_device) {
    const auto with_field = [](std::int64_t key, std::int64_t x) {
        mql::BsonWriter writer;
        writer.append_int64("_id", key);
        writer.append_int64("q", 1);
        writer.append_int64("x", x);
        writer.append_int64("_id__baas_transaction", 17);
        return std::move(writer).finish();
    };
    SyncDevice& a = device("a", "TRUEPREDICATE");
    put(1, with_field(1, 3)); // as Atlas restores it
    exchange();
    ASSERT_EQ(field(a, 1, "x"), 3);
    EXPECT_EQ(object(a, 1)->fields.find("_id__baas_transaction"), nullptr);
    const std::uint64_t known = a.cursor();
    put(1, document(1, 1, 3)); // gone
    put(1, with_field(1, 3));  // back
    exchange();
    EXPECT_EQ(a.cursor(), known) << "nothing that devices see";
    // A device's write leaves it alone.
    set(a, 1, "x", 4);
    exchange();
    EXPECT_EQ(stored(1, "x"), "4");
    EXPECT_EQ(stored(1, "_id__baas_transaction"), "17");
    // Nor does a device bring it into the schema.
    server::sync::SyncModel model = world_.model();
    model.development_mode = true;
    ASSERT_TRUE(world_.engine().update_model(std::move(model)));
    write(a, [](ChangesetBuilder& out) {
        out.add_column("T", "_id__baas_transaction", {changeset::PayloadType::integer, true, {}});
    });
    world_.exchange(devices_);
    ASSERT_TRUE(a.error());
    EXPECT_EQ(a.error()->code, protocol::SyncErrorCode::invalid_schema_change);
}

TEST_F(SyncChecklist, e6_a_device_and_an_outside_write_of_the_same_field_the_later_one_stays) {
    SyncDevice& a = device("a", "TRUEPREDICATE");
    create(a, 1, 1);
    create(a, 2, 1);
    exchange();
    a.disconnect();
    set(a, 1, "x", 5);
    world_.clock().advance(std::chrono::seconds(1));
    put(1, document(1, 1, 44));
    put(2, document(2, 1, 45));
    world_.clock().advance(std::chrono::seconds(1));
    set(a, 2, "x", 6);
    a.connect(world_.engine());
    exchange();
    EXPECT_EQ(stored(1, "x"), "44");
    EXPECT_EQ(field(a, 1, "x"), 44);
    EXPECT_EQ(stored(2, "x"), "6");
    EXPECT_EQ(field(a, 2, "x"), 6);
}

} // namespace tombolo::sim
