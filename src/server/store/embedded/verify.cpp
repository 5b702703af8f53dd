#include "server/store/embedded/verify.hpp"

#include <map>

#include "server/store/embedded/status.hpp"
#include "server/store/index_keys.hpp"
#include "server/store/store.hpp"
#include "server/store/value_key.hpp"

namespace tombolo::store::embedded {

namespace {

std::string_view view(const rocksdb::Slice& text) {
    return {text.data(), text.size()};
}

class Verifier {
  public:
    Verifier(const Database& database, const Catalog& catalog)
        : database_(database), catalog_(catalog), snapshot_(&database.db()) {
        options_.snapshot = snapshot_.snapshot();
        options_.verify_checksums = true;
        options_.fill_cache = false;
    }

    Result<VerifyReport> run() {
        for (const auto& collection : catalog_.all()) {
            for (const IndexEntry& index : collection->indexes) {
                expected_[index_prefix(collection->id, index.number)] = 0;
            }
        }
        TOMBOLO_TRY_VOID(each(Family::doc, [&](auto key, auto value) { document(key, value); }));
        TOMBOLO_TRY_VOID(each(Family::past, [&](auto key, auto value) { past(key, value); }));
        std::map<std::string, std::uint64_t> found;
        TOMBOLO_TRY_VOID(each(Family::index, [&](auto key, auto) {
            ++report_.index_entries;
            if (key.size() >= 8) {
                ++found[std::string(key.substr(0, 8))];
            }
        }));
        for (const auto& [prefix, count] : found) {
            const auto expected = expected_.find(prefix);
            const std::uint64_t wanted = expected == expected_.end() ? 0 : expected->second;
            if (count != wanted) {
                problem("index " + std::to_string(read_u32(prefix, 4)) + " of collection " +
                        std::to_string(read_u32(prefix)) + " has " + std::to_string(count) +
                        " entries; its documents have " + std::to_string(wanted));
            }
        }
        for (const Family family :
             {Family::meta, Family::hist, Family::part, Family::file, Family::recip}) {
            TOMBOLO_TRY_VOID(each(family, [&](auto, auto) { ++report_.records; }));
        }
        return std::move(report_);
    }

  private:
    template <class Visit>
    Result<void> each(Family family, Visit visit) {
        const std::unique_ptr<rocksdb::Iterator> cursor(
            database_.db().NewIterator(options_, database_.family(family)));
        for (cursor->SeekToFirst(); cursor->Valid(); cursor->Next()) {
            visit(view(cursor->key()), view(cursor->value()));
        }
        if (!cursor->status().ok()) {
            if (!cursor->status().IsCorruption()) {
                return to_error(cursor->status(), "verify the store");
            }
            problem(std::string(family_names[static_cast<std::size_t>(family)]) + ": " +
                    cursor->status().ToString());
        }
        return {};
    }

    void document(std::string_view key, std::string_view value) {
        ++report_.documents;
        const auto body = image("document", key, value);
        const auto collection = catalog_.find(CollectionId{read_u32(key)});
        if (!body || !collection) {
            return;
        }
        const Result<std::string> id_key = document_key(body->find("_id"));
        if (!id_key || *id_key != key.substr(4)) {
            problem(collection->name.to_string() + ": a document stands under another _id");
            return;
        }
        for (const IndexEntry& index : collection->indexes) {
            const auto keys = index_keys(index.spec, *body);
            if (!keys) {
                problem(collection->name.to_string() + ": " + keys.error().message());
                continue;
            }
            const std::string prefix = index_prefix(collection->id, index.number);
            expected_[prefix] += keys->size();
            for (const std::string& one : *keys) {
                std::string unused;
                if (!database_.db()
                         .Get(options_, database_.family(Family::index), prefix + one + *id_key,
                              &unused)
                         .ok()) {
                    problem(collection->name.to_string() + ": index '" + index.spec.name +
                            "' misses an entry of a document");
                }
            }
        }
    }

    void past(std::string_view key, std::string_view value) {
        ++report_.past_images;
        if (key.size() < 12) {
            problem("a past image has a key that is none");
            return;
        }
        static_cast<void>(image("past image", key, value));
    }

    std::optional<mql::BsonDocumentView> image(const char* what, std::string_view key,
                                               std::string_view value) {
        if (key.size() < 5 || !catalog_.find(CollectionId{read_u32(key)})) {
            problem(std::string("a ") + what + " belongs to no collection");
            return std::nullopt;
        }
        const auto decoded = decode_image(value);
        if (!decoded) {
            problem(std::string("a ") + what + " cannot be read");
            return std::nullopt;
        }
        const auto body = mql::BsonDocumentView::validate(as_bytes(decoded->bson));
        if (!body) {
            problem(std::string("a ") + what + " is not BSON: " + body.error().what());
            return std::nullopt;
        }
        return *body;
    }

    void problem(std::string text) {
        if (report_.problems.size() < limits::verify_problems_max) {
            report_.problems.push_back(std::move(text));
        }
    }

    const Database& database_;
    const Catalog& catalog_;
    rocksdb::ManagedSnapshot snapshot_;
    rocksdb::ReadOptions options_;
    VerifyReport report_;
    std::map<std::string, std::uint64_t> expected_; // index prefix -> entries
};

} // namespace

Result<VerifyReport> verify(const Database& database, const Catalog& catalog) {
    return Verifier(database, catalog).run();
}

} // namespace tombolo::store::embedded
