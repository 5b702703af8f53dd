#include "server/sync/engine/census.hpp"

#include <algorithm>

#include "core/record_codec.hpp"
#include "schema/document.hpp"
#include "server/sync/engine/object_ref.hpp"

namespace tombolo::server::sync {

namespace {

constexpr std::uint64_t format = 1;
/// A slice: about two milliseconds. To judge a document costs as much as to pass over so many.
constexpr std::uint64_t units_per_slice = 10'000;
constexpr std::uint64_t units_to_judge = 20;
constexpr std::size_t bytes_per_slice = std::size_t{2} << 20;
/// Documents judged between two records.
constexpr std::uint64_t judged_per_record = 100'000;

/// FNV-1a: stored, so it must be the same everywhere and for ever.
class Fingerprint {
  public:
    void add(std::string_view text) noexcept {
        for (const char c : text) {
            add_byte(static_cast<unsigned char>(c));
        }
        add_byte(0);
    }
    void add_byte(unsigned char byte) noexcept { value_ = (value_ ^ byte) * 0x100000001b3; }
    std::uint64_t value() const noexcept { return value_; }

  private:
    std::uint64_t value_ = 0xcbf29ce484222325;
};

void add(Fingerprint& out, const schema::ClassFact& fact) {
    out.add(fact.name);
    out.add_byte(static_cast<unsigned char>(fact.kind));
    out.add(fact.key_name);
    out.add_byte(static_cast<unsigned char>(fact.key_type));
    out.add_byte(fact.key_nullable ? 1 : 0);
}

void add(Fingerprint& out, const schema::PropertyFact& fact) {
    out.add(fact.class_name);
    out.add(fact.name);
    out.add_byte(static_cast<unsigned char>(fact.type));
    out.add_byte(static_cast<unsigned char>(fact.collection));
    out.add_byte(fact.nullable ? 1 : 0);
    out.add(fact.target);
}

/// Of each class whose documents are judged. Embedded classes count to all of them.
std::map<std::string, std::uint64_t, std::less<>> fingerprints_of(const Model& model) {
    std::map<std::string, Fingerprint, std::less<>> prints;
    for (const schema::ClassSchema& each : model.schema().classes()) {
        if (!each.is_embedded() && !each.is_asymmetric() && model.storage(each.name())) {
            prints[each.name()];
        }
    }
    for (const schema::SchemaFact& fact : schema::facts_of(model.schema())) {
        const auto* property = std::get_if<schema::PropertyFact>(&fact);
        const std::string& name =
            property != nullptr ? property->class_name : std::get<schema::ClassFact>(fact).name;
        const schema::ClassSchema* of = model.schema().find(name);
        for (auto& [class_name, print] : prints) {
            if (class_name == name || (of != nullptr && of->is_embedded())) {
                std::visit([&out = print](const auto& one) { add(out, one); }, fact);
            }
        }
    }
    std::map<std::string, std::uint64_t, std::less<>> out;
    for (const auto& [class_name, print] : prints) {
        out.emplace(class_name, print.value());
    }
    return out;
}

} // namespace

bool Census::is_complete() const noexcept {
    return std::all_of(classes.begin(), classes.end(), [](const auto& each) {
        return each.second.phase == ClassCensus::Phase::complete;
    });
}

std::uint64_t Census::unsynced() const noexcept {
    std::uint64_t sum = 0;
    for (const auto& each : classes) {
        sum += each.second.unsynced;
    }
    return sum;
}

std::string census_key(const ObjectId& app) {
    return "sync/" + to_hex(app.bytes) + "/census";
}

std::string encode(const Census& census) {
    RecordWriter out;
    out.number(format).number(census.holds_clients ? 1 : 0).number(census.classes.size());
    for (const auto& [name, each] : census.classes) {
        out.text(name)
            .number(each.fingerprint)
            .number(static_cast<std::uint64_t>(each.phase))
            .text(each.position)
            .number(each.total)
            .number(each.done)
            .number(each.unsynced);
    }
    return out.take();
}

Result<Census> decode_census(std::string_view record) {
    RecordReader in(record);
    Census census;
    if (in.number() != format) {
        return Error(ErrorCode::unsupported, "the record of initial sync has an unknown format");
    }
    census.holds_clients = in.number() != 0;
    const std::uint64_t classes = in.number();
    for (std::uint64_t i = 0; i < classes && !in.failed(); ++i) {
        const std::string name(in.text());
        ClassCensus& each = census.classes[name];
        each.fingerprint = in.number();
        const std::uint64_t phase = in.number();
        each.phase =
            phase > 2 ? ClassCensus::Phase::counting : static_cast<ClassCensus::Phase>(phase);
        each.position = in.text();
        each.total = in.number();
        each.done = in.number();
        each.unsynced = in.number();
    }
    TOMBOLO_TRY_VOID(in.finish("initial sync"));
    return census;
}

void CensusTaker::start(std::optional<Census> stored, bool has_files, const Model& model) {
    if (stored) {
        census_ = *std::move(stored);
    } else {
        census_.holds_clients = !has_files;
    }
    adopt(model);
}

void CensusTaker::adopt(const Model& model) {
    const auto prints = fingerprints_of(model);
    std::erase_if(census_.classes,
                  [&](const auto& each) { return prints.find(each.first) == prints.end(); });
    for (const auto& [name, print] : prints) {
        const auto known = census_.classes.find(name);
        if (known == census_.classes.end() || known->second.fingerprint != print) {
            ClassCensus fresh;
            fresh.fingerprint = print;
            census_.classes.insert_or_assign(name, std::move(fresh));
        }
    }
}

void CensusTaker::touch() {
    if (!before_) {
        before_ = census_;
    }
}

struct CensusTaker::Slice {
    std::uint64_t units = units_per_slice;
    std::size_t bytes = bytes_per_slice;

    bool take(std::uint64_t cost, std::size_t size) noexcept {
        if (units < cost || bytes < size) {
            units = 0;
            return false;
        }
        units -= cost;
        bytes -= size;
        return true;
    }
};

Result<void> CensusTaker::step(const Model& model, const store::Snapshot& snapshot) {
    using Phase = ClassCensus::Phase;
    touch();
    Slice slice;
    for (auto& [name, each] : census_.classes) {
        while (each.phase != Phase::complete && slice.units > 0) {
            const auto cursor = snapshot.scan(model.storage(name)->documents, each.position);
            TOMBOLO_TRY_VOID(each.phase == Phase::counting
                                 ? count_documents(each, *cursor, slice)
                                 : judge_documents(model, name, each, *cursor, slice));
        }
        if (slice.units == 0) {
            break;
        }
    }
    if (census_.is_complete()) {
        census_.holds_clients = false;
        is_to_be_written_ = true;
    }
    return {};
}

Result<void> CensusTaker::count_documents(ClassCensus& of, store::DocumentCursor& cursor,
                                          Slice& slice) {
    while (slice.take(1, 0)) {
        if (!cursor.next()) {
            TOMBOLO_TRY_VOID(cursor.status());
            of.phase = ClassCensus::Phase::judging;
            of.position.clear();
            return {};
        }
        ++of.total;
        of.position = cursor.key();
    }
    return {};
}

Result<void> CensusTaker::judge_documents(const Model& model, const std::string& class_name,
                                          ClassCensus& of, store::DocumentCursor& cursor,
                                          Slice& slice) {
    std::size_t size = 0;
    while (slice.take(units_to_judge, size)) {
        if (!cursor.next()) {
            TOMBOLO_TRY_VOID(cursor.status());
            of.phase = ClassCensus::Phase::complete;
            of.position.clear();
            of.total = of.done;
            is_to_be_written_ = true;
            return {};
        }
        const ByteView bytes = cursor.document().bytes();
        size = bytes.size();
        ++of.done;
        of.total = std::max(of.total, of.done);
        of.position = cursor.key();
        of.unsynced +=
            schema::document_to_object(model.documents(), class_name, bytes).ok() ? 0U : 1U;
        if (++judged_since_written_ >= judged_per_record) {
            is_to_be_written_ = true;
        }
    }
    return {};
}

bool CensusTaker::has_begun(std::string_view class_name) const noexcept {
    const auto found = census_.classes.find(class_name);
    return found != census_.classes.end() && found->second.phase != ClassCensus::Phase::counting;
}

bool CensusTaker::may_be_unsynced(std::string_view class_name) const noexcept {
    const auto found = census_.classes.find(class_name);
    return found != census_.classes.end() && found->second.unsynced > 0;
}

Result<void> CensusTaker::count(const ObjectRef& object, bool was_unsynced, bool is_unsynced) {
    const auto found = census_.classes.find(object.class_name);
    if (was_unsynced == is_unsynced || found == census_.classes.end() ||
        found->second.phase == ClassCensus::Phase::counting) {
        return {};
    }
    if (found->second.phase == ClassCensus::Phase::judging) {
        TOMBOLO_TRY(const std::string key, document_key_of(to_view(object.key)));
        if (key > found->second.position) {
            return {}; // the pass comes to it
        }
    }
    touch();
    std::uint64_t& unsynced = found->second.unsynced;
    unsynced = is_unsynced ? unsynced + 1 : unsynced - std::min<std::uint64_t>(unsynced, 1);
    is_to_be_written_ = true;
    return {};
}

void CensusTaker::forget() noexcept {
    if (is_to_be_written_) {
        judged_since_written_ = 0;
    }
    is_to_be_written_ = false;
    before_.reset();
}

void CensusTaker::abandon() noexcept {
    if (before_) {
        census_ = *std::move(before_);
    }
    is_to_be_written_ = false;
    before_.reset();
}

std::vector<ClassProgress> CensusTaker::report() const {
    std::vector<ClassProgress> out;
    for (const auto& [name, each] : census_.classes) {
        out.push_back({name, each.total, each.done, each.unsynced,
                       each.phase == ClassCensus::Phase::complete});
    }
    return out;
}

} // namespace tombolo::server::sync
