#include "server/bulk/bulk.hpp"

#include <condition_variable>
#include <cstring>
#include <mutex>

#include <fmt/format.h>

namespace tombolo::bulk {

namespace {

using mql::BsonDocument;
using mql::BsonDocumentView;

constexpr std::size_t transaction_documents = 1000;
constexpr std::size_t transaction_bytes = std::size_t{4} * 1024 * 1024;
constexpr std::size_t problems_max = 100;

// One document of the request: where it stands, and its position for messages.
struct Item {
    BsonDocumentView document;
    std::size_t index = 0;
};

Result<std::vector<Item>> split(ByteView body) {
    std::vector<Item> items;
    while (!body.empty()) {
        std::uint32_t size = 0;
        if (body.size() >= sizeof size) {
            std::memcpy(&size, body.data(), sizeof size);
        }
        const auto where = [&] { return fmt::format("document {}", items.size()); };
        if (size < 5 || size > body.size()) {
            return Error(ErrorCode::bad_bson, "the body is not a sequence of BSON documents",
                         where());
        }
        const auto document = BsonDocumentView::validate(body.first(size));
        if (!document) {
            return document.error().within(where());
        }
        if (document->find("_id").is_missing()) {
            return Error(ErrorCode::invalid_argument, "the document has no _id", where());
        }
        items.push_back({*document, items.size()});
        body = body.subspan(size);
    }
    return items;
}

// Commits several transactions at a time and keeps what each answered.
class Writer {
  public:
    Writer(store::Store& store, store::CollectionId collection, ImportMode mode)
        : store_(store), collection_(collection), mode_(mode) {}

    Result<ImportReport> run(const std::vector<Item>& items) {
        TOMBOLO_TRY_VOID(write(items, transaction_documents));
        // A transaction with a bad document took its neighbours with it: those go in by themselves.
        if (!failed_.empty()) {
            const std::vector<Item> again = std::move(failed_);
            singly_ = true;
            TOMBOLO_TRY_VOID(write(again, 1));
        }
        return std::move(report_);
    }

  private:
    struct Batch {
        std::vector<Item> items;
        std::optional<Result<store::Version>> answer;
    };

    // All of `items` in transactions of at most `size`; waits for every one.
    Result<void> write(const std::vector<Item>& items, std::size_t size) {
        std::vector<Batch> batches;
        const auto snapshot =
            mode_ == ImportMode::skip ? store_.snapshot() : std::unique_ptr<store::Snapshot>();
        std::vector<store::Transaction> transactions;
        for (const Item& item : items) {
            if (snapshot) {
                TOMBOLO_TRY(const bool present, is_there(*snapshot, item));
                if (present) {
                    ++report_.skipped;
                    continue;
                }
            }
            if (batches.empty() || batches.back().items.size() >= size ||
                transactions.back().bytes() >= transaction_bytes) {
                batches.emplace_back();
                transactions.emplace_back();
            }
            batches.back().items.push_back(item);
            if (mode_ == ImportMode::upsert) {
                transactions.back().put(collection_, BsonDocument(item.document));
            } else {
                transactions.back().insert(collection_, BsonDocument(item.document));
            }
        }
        commit(batches, std::move(transactions));
        return settle(batches);
    }

    Result<bool> is_there(const store::Snapshot& snapshot, const Item& item) const {
        const Result<std::string> key = store::document_key(item.document.find("_id"));
        if (!key) {
            return false; // refused when it is written
        }
        TOMBOLO_TRY(const auto found, snapshot.find(collection_, *key));
        return found.has_value();
    }

    void commit(std::vector<Batch>& batches, std::vector<store::Transaction> transactions) {
        std::mutex mutex;
        std::condition_variable all_answered;
        std::size_t waiting = batches.size();
        for (std::size_t i = 0; i < batches.size(); ++i) {
            Batch& batch = batches[i];
            store_.commit_async(std::move(transactions[i]),
                                [&](const Result<store::Version>& made) {
                                    const std::lock_guard lock(mutex);
                                    batch.answer = made;
                                    if (--waiting == 0) {
                                        all_answered.notify_one();
                                    }
                                });
        }
        std::unique_lock lock(mutex);
        all_answered.wait(lock, [&] { return waiting == 0; });
    }

    Result<void> settle(const std::vector<Batch>& batches) {
        for (const Batch& batch : batches) {
            const Result<store::Version>& answer = *batch.answer;
            if (answer) {
                report_.written += batch.items.size();
                continue;
            }
            switch (answer.error().code()) {
            case ErrorCode::disk_full:
            case ErrorCode::io:
            case ErrorCode::store_corrupt:
            case ErrorCode::unavailable:
            case ErrorCode::internal:
                return answer.error();
            default:
                break;
            }
            if (!singly_) {
                failed_.insert(failed_.end(), batch.items.begin(), batch.items.end());
            } else if (mode_ == ImportMode::skip &&
                       answer.error().code() == ErrorCode::duplicate_key &&
                       is_same_id(batch.items.front())) {
                ++report_.skipped;
            } else {
                refuse(batch.items.front(), answer.error());
            }
        }
        return {};
    }

    // Tells the same `_id` from the same value in a unique index.
    bool is_same_id(const Item& item) const {
        const Result<bool> present = is_there(*store_.snapshot(), item);
        return present && *present;
    }

    void refuse(const Item& item, const Error& error) {
        ++report_.refused;
        if (report_.problems.size() < problems_max) {
            report_.problems.push_back({item.index, error.what()});
        }
    }

    store::Store& store_;
    store::CollectionId collection_;
    ImportMode mode_;
    ImportReport report_;
    std::vector<Item> failed_;
    bool singly_ = false;
};

} // namespace

Result<ImportReport> import_documents(store::Store& store, const store::CollectionName& collection,
                                      ImportMode mode, ByteView body) {
    TOMBOLO_TRY(const std::vector<Item> items, split(body));
    TOMBOLO_TRY(const store::CollectionId id, store.ensure_collection(collection));
    return Writer(store, id, mode).run(items);
}

Result<ExportPage> export_documents(const store::Store& store,
                                    const store::CollectionName& collection,
                                    const mql::Filter& filter, std::string_view after,
                                    std::size_t bytes_max, std::size_t scanned_max) {
    ExportPage page;
    const auto id = store.find_collection(collection);
    if (!id) {
        return page;
    }
    const auto snapshot = store.snapshot();
    const auto cursor = snapshot->scan(*id, after);
    std::string last(after);
    std::size_t scanned = 0;
    while (cursor->next()) {
        const BsonDocumentView document = cursor->document();
        const Result<bool> wanted = filter.matches(document);
        if (!wanted) {
            return wanted.error();
        }
        const bool full = page.documents.size() + document.size() > bytes_max && page.count > 0;
        if (scanned == scanned_max || (*wanted && full)) {
            page.next = std::move(last);
            return page;
        }
        ++scanned;
        last = cursor->key();
        if (*wanted) {
            page.documents += as_text(document.bytes());
            ++page.count;
        }
    }
    TOMBOLO_TRY_VOID(cursor->status());
    return page;
}

} // namespace tombolo::bulk
