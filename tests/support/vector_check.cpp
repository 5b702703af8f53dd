#include "support/vector_check.hpp"

#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "changeset/codec.hpp"
#include "changeset/memory_state.hpp"
#include "changeset/merge.hpp"
#include "core/bytes.hpp"
#include "support/sync_peers.hpp"
#include "support/vector_json.hpp"

namespace tombolo::testing {

namespace json = boost::json;
using changeset::Changeset;
using changeset::MemoryState;
using changeset::MergeInput;
using changeset::MergeOptions;

namespace {

/// A line that does not pass. Thrown inside this file only, so that the checks read as statements.
struct Mismatch {
    std::string reason;
};

void require(bool condition, std::string_view reason) {
    if (!condition) {
        throw Mismatch{std::string(reason)};
    }
}

template <class T>
T require_value(Result<T> result, std::string_view doing) {
    if (!result) {
        throw Mismatch{std::string(doing) + ": " + result.error().what()};
    }
    return *std::move(result);
}

std::string_view text(const json::value& line, std::string_view key) {
    return line.at(key).as_string();
}

std::uint64_t number(const json::value& line, std::string_view key) {
    return line.at(key).to_number<std::uint64_t>();
}

bool flag(const json::value& line, std::string_view key) {
    const json::value* found = line.as_object().if_contains(key);
    return found != nullptr && found->as_bool();
}

std::vector<std::byte> bytes_of(std::string_view hex) {
    return require_value(from_hex(hex), "hex");
}

Changeset decoded(std::string_view hex) {
    return require_value(changeset::decode(bytes_of(hex)), "decode");
}

MemoryState base_state(const json::value& line) {
    MemoryState state;
    for (const json::value& hex : line.at("base").as_array()) {
        require_value(apply(decoded(hex.as_string()), state), "base");
    }
    return state;
}

void require_instructions(const Changeset& ours, std::string_view expected_hex,
                          std::string_view what) {
    const Changeset expected = decoded(expected_hex);
    if (!same_instructions(ours, expected)) {
        throw Mismatch{std::string(what) + ": ours is\n" + to_text(ours) + "  expected is\n" +
                       to_text(expected)};
    }
}

void require_state(const MemoryState& ours, const json::value& expected, std::string_view what) {
    const json::value printed = canonical(state_to_json(ours));
    const json::value wanted = canonical(expected);
    if (printed != wanted) {
        throw Mismatch{std::string(what) + ": ours is\n    " + json::serialize(printed) +
                       "\n  expected is\n    " + json::serialize(wanted)};
    }
}

// changesets.jsonl, uploads.jsonl

bool check_changeset(const json::value& line) {
    const std::string_view hex = text(line, "hex");
    if (text(line, "shape") == "invalid") {
        const Result<Changeset> refused = changeset::decode(bytes_of(hex));
        require(!refused, "an invalid changeset was decoded");
        require(!refused.error().message().empty(), "refused without a reason");
        return false;
    }
    const Changeset ours = decoded(hex);
    require(json::value(instructions_to_json(ours)) == line.at("instructions"),
            "instructions differ:\n" + to_text(ours));
    const json::value* reencoded = line.as_object().if_contains("reencoded_hex");
    const std::string_view expected = reencoded == nullptr ? hex : reencoded->as_string();
    require(to_hex(changeset::encode(ours)) == expected, "encoded bytes differ");
    return false;
}

bool check_upload(const json::value& line) {
    const Changeset ours = decoded(text(line, "hex"));
    require(json::value(instructions_to_json(ours)) == line.at("instructions"),
            "instructions differ:\n" + to_text(ours));
    const Changeset again =
        require_value(changeset::decode(changeset::encode(ours)), "decode the re-encoding");
    require(same_instructions(ours, again), "the re-encoding decodes to other instructions");
    return false;
}

// merges.jsonl, merges_multi.jsonl

struct Side {
    std::vector<Changeset> changesets;
    std::vector<std::uint64_t> timestamps;
    std::vector<std::uint64_t> file_idents;

    std::vector<MergeInput> inputs() {
        std::vector<MergeInput> result;
        for (std::size_t i = 0; i < changesets.size(); ++i) {
            result.push_back({&changesets[i], timestamps[i], file_idents[i]});
        }
        return result;
    }
};

/// An object or string, or an array of them (merges_multi).
template <class Visit>
void for_each(const json::value& value, Visit visit) {
    if (const auto* array = value.if_array()) {
        for (const json::value& element : *array) {
            visit(element);
        }
    } else {
        visit(value);
    }
}

Side read_side(const json::value& line, std::string_view key) {
    Side side;
    for_each(line.at(key), [&](const json::value& item) {
        side.changesets.push_back(decoded(text(item, "hex")));
        side.timestamps.push_back(number(item, "timestamp"));
        side.file_idents.push_back(number(item, "file_ident"));
    });
    return side;
}

struct Merged {
    Side left;
    Side right;
};

using MergeFunction = decltype(&changeset::merge);

Result<Merged> run_merge(const json::value& line, MergeFunction function, bool left_is_ours,
                         const MergeOptions& options) {
    Merged merged{read_side(line, "left"), read_side(line, "right")};
    std::vector<MergeInput> left = merged.left.inputs();
    std::vector<MergeInput> right = merged.right.inputs();
    TOMBOLO_TRY_VOID(left_is_ours ? function(left, right, options)
                                  : function(right, left, options));
    return merged;
}

bool same_lists(const Side& left, const Side& right) {
    return std::equal(left.changesets.begin(), left.changesets.end(), right.changesets.begin(),
                      right.changesets.end(), changeset::same_instructions);
}

bool matches(const Side& ours, const json::value& expected) {
    std::vector<Changeset> wanted;
    for_each(expected, [&](const json::value& hex) { wanted.push_back(decoded(hex.as_string())); });
    return std::equal(ours.changesets.begin(), ours.changesets.end(), wanted.begin(), wanted.end(),
                      changeset::same_instructions);
}

bool matches(const Merged& ours, const json::value& line) {
    return matches(ours.left, line.at("left_transformed_hex")) &&
           matches(ours.right, line.at("right_transformed_hex"));
}

std::string describe(const Merged& ours, const json::value& line) {
    std::string description;
    const auto add = [&](const char* name, const Side& side, const json::value& expected) {
        description += std::string(name) + " is\n";
        for (const Changeset& changeset : side.changesets) {
            description += to_text(changeset) + "--\n";
        }
        description += "  expected\n";
        for_each(expected, [&](const json::value& hex) {
            description += to_text(decoded(hex.as_string())) + "--\n";
        });
    };
    add("left'", ours.left, line.at("left_transformed_hex"));
    add("right'", ours.right, line.at("right_transformed_hex"));
    return description;
}

/// In place of equal lists where R29 compares by content: nothing but SetErase may differ.
bool matches_but_for_set_erase(const Merged& ours, const json::value& line) {
    const auto texts = [](const Changeset& changeset) {
        std::vector<std::string> result;
        for (const auto& instruction : changeset.instructions()) {
            if (instruction.op != changeset::Opcode::set_erase) {
                result.push_back(to_text(changeset, instruction));
            }
        }
        return result;
    };
    const auto side_matches = [&](const Side& side, const json::value& expected) {
        std::size_t index = 0;
        bool equal = true;
        for_each(expected, [&](const json::value& hex) {
            equal = equal && index < side.changesets.size() &&
                    texts(side.changesets[index]) == texts(decoded(hex.as_string()));
            ++index;
        });
        return equal && index == side.changesets.size();
    };
    return side_matches(ours.left, line.at("left_transformed_hex")) &&
           side_matches(ours.right, line.at("right_transformed_hex"));
}

MemoryState state_after(MemoryState state, const Side& first, const Side& second,
                        std::string_view what) {
    for (const Side* side : {&first, &second}) {
        for (const Changeset& changeset : side->changesets) {
            require_value(apply(changeset, state), what);
        }
    }
    return state;
}

/// Both orders of application end in one state; which must be `state` where that is given.
void require_convergence(const json::value& line, const Merged& merged) {
    const MemoryState base = base_state(line);
    const MemoryState left_first =
        state_after(base, read_side(line, "left"), merged.right, "left then right'");
    const MemoryState right_first =
        state_after(base, read_side(line, "right"), merged.left, "right then left'");
    require(identical(left_first, right_first), "the two orders end in different states");
    if (!line.at("state").is_null()) {
        require_state(left_first, line.at("state"), "state");
    }
}

bool check_merge(const json::value& line) {
    const std::string_view outcome = text(line, "outcome");
    if (outcome == "merge_error") {
        for (const bool left_is_ours : {true, false}) {
            for (const MergeFunction function : {&changeset::merge, &changeset::merge_full_grid}) {
                const Result<Merged> merged = run_merge(line, function, left_is_ours, {});
                require(!merged && merged.error().code() == ErrorCode::merge_error,
                        "the merge accepted a contradiction");
            }
        }
        return false;
    }
    MergeOptions options;
    Merged merged = require_value(run_merge(line, &changeset::merge, true, options), "merge");
    if (outcome == "realm_core_defect" && !matches(merged, line)) {
        // Transform parity on E1 needs the published rule; see merge.hpp.
        options.move_over_inner = changeset::MoveOverInnerRule::realm_core;
        merged = require_value(run_merge(line, &changeset::merge, true, options), "merge (E1)");
    }
    for (const bool left_is_ours : {true, false}) {
        for (const MergeFunction function : {&changeset::merge, &changeset::merge_full_grid}) {
            const Merged other =
                require_value(run_merge(line, function, left_is_ours, options), "merge again");
            require(same_lists(merged.left, other.left) && same_lists(merged.right, other.right),
                    "swapped operands or the full grid give another result");
        }
    }
    const bool is_strict = flag(line, "raw_set_erase") && !matches(merged, line);
    if (is_strict) {
        require(matches_but_for_set_erase(merged, line), describe(merged, line));
        require_convergence(line, merged);
    } else {
        require(matches(merged, line), describe(merged, line));
        if (outcome == "converged") {
            require_convergence(line, merged);
        }
    }
    return is_strict;
}

// apply.jsonl

bool check_apply(const json::value& line) {
    MemoryState state = base_state(line);
    const MemoryState before = state;
    const bool only_published = text(line, "name").ends_with("_accepted_by_realm_core");
    const Result<Changeset> changeset = changeset::decode(bytes_of(text(line, "hex")));
    std::optional<Error> error;
    if (!changeset) {
        error = changeset.error();
    } else if (auto applied = apply(*changeset, state); !applied) {
        error = applied.error();
    }
    if (text(line, "outcome") == "ok" && !only_published) {
        require(!error, error ? error->what() : "");
        require_state(state, line.at("state"), "state");
        return false;
    }
    require(error.has_value(), "a bad changeset was applied");
    require(error->code() == ErrorCode::bad_changeset, error->what());
    require(identical(state, before), "a failed changeset left a trace");
    return only_published;
}

// sessions.jsonl

class SessionReplay {
  public:
    explicit SessionReplay(std::uint64_t clients) {
        for (std::uint64_t ident = 2; ident < clients + 2; ++ident) {
            clients_.emplace(ident, ClientPeer(ident));
        }
    }

    void replay(const json::value& event) {
        const std::string_view kind = text(event, "event");
        if (kind == "commit") {
            commit(event);
        } else if (kind == "upload") {
            upload(event);
        } else {
            require(kind == "download", "unknown event");
            download(event);
        }
    }

    void require_final_state(const json::value& expected) const {
        require_state(server_.state(), expected, "server state");
        for (const auto& [ident, client] : clients_) {
            require_state(client.state(), expected, "state of client " + std::to_string(ident));
        }
    }

  private:
    ClientPeer& client_of(const json::value& event) { return clients_.at(number(event, "client")); }

    void commit(const json::value& event) {
        ClientPeer& client = client_of(event);
        require(client.server_version() == number(event, "server_version"), "commit base differs");
        const std::uint64_t version = require_value(
            client.commit(decoded(text(event, "hex")), number(event, "timestamp")), "commit");
        require(version == number(event, "client_version"), "client version differs");
    }

    void upload(const json::value& event) {
        ClientPeer& client = client_of(event);
        const std::vector<HistoryEntry> stored = require_value(
            server_.integrate(client.file_ident(), client.take_uploads()), "integrate");
        const json::array& expected = event.at("stored").as_array();
        require(stored.size() == expected.size(), "another number of stored changesets");
        for (std::size_t i = 0; i < stored.size(); ++i) {
            require(stored[i].server_version == number(expected[i], "server_version"),
                    "server version differs");
            require(stored[i].client_version == number(expected[i], "client_version"),
                    "client version differs");
            require_instructions(stored[i].changeset, text(expected[i], "hex"), "stored");
        }
    }

    void download(const json::value& event) {
        ClientPeer& client = client_of(event);
        const Download batch = server_.download(client.file_ident(), client.server_version(),
                                                number(event, "progress_server_version"));
        require(batch.progress_client_version == number(event, "progress_client_version"),
                "progress differs");
        const json::array& expected = event.at("changesets").as_array();
        require(batch.entries.size() == expected.size(), "another number of sent changesets");
        for (std::size_t i = 0; i < expected.size(); ++i) {
            const HistoryEntry& entry = batch.entries[i];
            require(entry.server_version == number(expected[i], "server_version") &&
                        entry.client_version == number(expected[i], "client_version") &&
                        entry.timestamp == number(expected[i], "timestamp") &&
                        entry.file_ident == number(expected[i], "file_ident"),
                    "head of a sent changeset differs");
            require_instructions(entry.changeset, text(expected[i], "hex"), "sent");
        }
        const std::vector<Changeset> applied =
            require_value(client.integrate(batch), "client integrates");
        require(applied.size() == expected.size(), "another number of applied changesets");
        for (std::size_t i = 0; i < expected.size(); ++i) {
            require_instructions(applied[i], text(expected[i], "applied_hex"), "applied");
        }
    }

    ServerPeer server_;
    std::map<std::uint64_t, ClientPeer> clients_;
};

bool check_session(const json::value& line) {
    SessionReplay replay(number(line, "clients"));
    std::size_t number_of_event = 0;
    for (const json::value& event : line.at("events").as_array()) {
        try {
            replay.replay(event);
        } catch (const Mismatch& mismatch) {
            throw Mismatch{"event " + std::to_string(number_of_event) + ": " + mismatch.reason};
        }
        ++number_of_event;
    }
    replay.require_final_state(line.at("state"));
    return false;
}

/// Returns whether the line passed as strict. Throws Mismatch, Error, or what Boost.JSON throws on
/// a line of another shape.
using LineCheck = bool (*)(const json::value& line);

/// The reason for failing, or nothing; `strict` says whether a line that passed counts as strict.
std::optional<std::string> check_line(const json::value& line, LineCheck check, bool& strict) {
    try {
        strict = check(line);
        return std::nullopt;
    } catch (const Mismatch& mismatch) {
        return mismatch.reason;
    } catch (const std::exception& error) {
        return std::string(error.what());
    }
}

VectorFileResult check_file(const std::filesystem::path& path, LineCheck check) {
    VectorFileResult result;
    result.file = path.filename().string();
    std::ifstream in(path);
    std::string content;
    while (std::getline(in, content)) {
        ++result.total;
        std::string name = "line " + std::to_string(result.total);
        boost::system::error_code parse_error;
        const json::value line = json::parse(content, parse_error);
        bool strict = false;
        std::optional<std::string> failure;
        if (parse_error || !line.is_object()) {
            failure = "not a JSON object";
        } else {
            if (const json::value* given = line.as_object().if_contains("name")) {
                name = given->is_string() ? std::string(given->get_string()) : name;
            }
            failure = check_line(line, check, strict);
        }
        if (failure) {
            result.failures.push_back({name, *failure});
        } else if (strict) {
            ++result.strict;
        }
    }
    if (result.total == 0) {
        result.total = 1;
        result.failures.push_back({"the file", "missing, unreadable or empty"});
    }
    return result;
}

} // namespace

std::vector<VectorFileResult> check_vector_files(const std::filesystem::path& directory) {
    static constexpr std::pair<const char*, LineCheck> files[] = {
        {"changesets.jsonl", check_changeset}, {"merges.jsonl", check_merge},
        {"merges_multi.jsonl", check_merge},   {"apply.jsonl", check_apply},
        {"sessions.jsonl", check_session},     {"uploads.jsonl", check_upload},
    };
    std::vector<VectorFileResult> results;
    for (const auto& [name, check] : files) {
        results.push_back(check_file(directory / name, check));
    }
    return results;
}

} // namespace tombolo::testing
