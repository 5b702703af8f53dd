#include "merge_workloads.hpp"

#include <random>
#include <string>

#include "changeset/builder.hpp"
#include "changeset/codec.hpp"

namespace bench {

namespace {

using namespace tombolo;
using namespace tombolo::changeset;

ObjectId object_id(std::uint64_t number) {
    return ObjectId::from_parts(1'700'000'000, number * 0x9E3779B97F4A7C15 >> 24,
                                static_cast<std::uint32_t>(number));
}

Bytes finish(ChangesetBuilder& builder) {
    return encode(*builder.finish());
}

/// Four instructions on one object: edits when it is there already, else its creation.
void touch_object(ChangesetBuilder& builder, const ObjectId& id, bool exists, std::int64_t number) {
    if (exists) {
        builder.add_integer({"Person", id, "visits"}, number % 7);
        builder.update({"Person", id, "name"}, std::string_view("changed name"));
        builder.array_insert({"Person", id, "scores", {0}}, number, 3);
        builder.set_insert({"Person", id, "tags"}, std::string_view("concurrent"));
    } else {
        builder.create_object("Person", id);
        builder.update({"Person", id, "name"}, std::string_view("somebody new"));
        builder.update({"Person", id, "age"}, number % 100);
        builder.update({"Person", id, "height"}, ScalarView(1.5 + static_cast<double>(number)));
    }
}

} // namespace

Bytes bulk_changeset(std::size_t objects) {
    ChangesetBuilder builder;
    builder.add_table("Person", TableKind::top_level, "_id", PayloadType::object_id, false);
    builder.add_column("Person", "name", {PayloadType::string});
    builder.add_column("Person", "age", {PayloadType::integer});
    builder.add_column("Person", "height", {PayloadType::float64});
    for (std::size_t i = 0; i < objects; ++i) {
        touch_object(builder, object_id(i), false, static_cast<std::int64_t>(i));
    }
    return finish(builder);
}

Bytes disjoint_changeset(std::size_t instructions, unsigned side) {
    ChangesetBuilder builder;
    for (std::size_t i = 0; i < instructions / 4; ++i) {
        touch_object(builder, object_id(2 * i + side), i % 2 == 0, static_cast<std::int64_t>(i));
    }
    return finish(builder);
}

Bytes overlapping_changeset(std::size_t instructions, unsigned side) {
    ChangesetBuilder builder;
    for (std::size_t i = 0; i < instructions / 4; ++i) {
        bool shared = i % 4 == 0;
        touch_object(builder, object_id(shared ? 2 * i : 2 * i + 1 + side * 1'000'000'000),
                     shared || i % 2 == 0, static_cast<std::int64_t>(i));
    }
    return finish(builder);
}

Bytes list_changeset(std::size_t edits, std::uint32_t size, unsigned seed) {
    std::mt19937 random(seed);
    auto below = [&random](std::uint32_t bound) {
        return static_cast<std::uint32_t>(random() % bound);
    };
    ObjectId id = object_id(1);
    ChangesetBuilder builder;
    auto place = [&id](std::uint32_t index) { return Place{"Person", id, "scores", {index}}; };
    for (std::size_t i = 0; i < edits; ++i) {
        std::uint32_t kind = below(100);
        std::uint32_t from = below(size);
        std::uint32_t to = below(size);
        if (kind < 40) {
            builder.array_insert(place(below(size + 1)), static_cast<std::int64_t>(i), size);
            ++size;
        } else if (kind < 65) {
            builder.array_erase(place(from), size);
            --size;
        } else if (kind < 85 || from == to) {
            builder.update_element(place(from), static_cast<std::int64_t>(i), size);
        } else {
            builder.array_move(place(from), to, size);
        }
    }
    return finish(builder);
}

} // namespace bench
