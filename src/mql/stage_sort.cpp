// $sort: all documents, or with a limit only the best so many.

#include <algorithm>

#include "mql/stage.hpp"
#include "mql/stage_sort_key.hpp"

namespace tombolo::mql::detail {

namespace {

class Sort : public Stage {
  public:
    explicit Sort(SortKey key) : key_(std::move(key)) {}

    SourcePtr open(SourcePtr input, const Run& run) const override {
        return std::make_unique<Source>(*this, std::move(input), run);
    }

    bool set_limit(std::size_t limit) noexcept override {
        limit_ = limit;
        return true;
    }

  private:
    struct Entry {
        BsonDocument document;
        std::vector<BsonView>
            key; ///< borrows from `document`, whose bytes stay where they are when it is moved
        std::size_t arrival = 0;
    };

    class Source : public DocumentSource {
      public:
        Source(const Sort& stage, SourcePtr input, const Run& run)
            : stage_(&stage), input_(std::move(input)), memory_(*run.budget) {}

        Result<std::optional<BsonDocument>> next() override {
            if (!read_) {
                TOMBOLO_TRY_VOID(read());
                read_ = true;
            }
            if (at_ == entries_.size()) {
                return std::optional<BsonDocument>();
            }
            return std::optional(std::move(entries_[at_++].document));
        }

      private:
        /// A strict order in which equal documents keep the order of their arrival.
        bool before(const Entry& left, const Entry& right) const {
            const int order = stage_->key_.compare_keys(left.key, right.key);
            return order != 0 ? order < 0 : left.arrival < right.arrival;
        }

        static std::size_t bytes_of(const Entry& entry) {
            return entry.document.bytes().size() + sizeof(Entry) +
                   entry.key.size() * sizeof(BsonView);
        }

        Result<void> read() {
            const auto order = [this](const Entry& left, const Entry& right) {
                return before(left, right);
            };
            const bool limited = stage_->limit_ != 0;
            std::size_t arrival = 0;
            while (true) {
                TOMBOLO_TRY(auto document, input_->next());
                if (!document) {
                    break;
                }
                Entry entry;
                entry.document = *std::move(document);
                entry.key = stage_->key_.key_of(entry.document.view().as_value());
                entry.arrival = arrival++;
                // With a limit the entries are a heap whose top is the worst of the best.
                if (limited && entries_.size() == stage_->limit_) {
                    if (!before(entry, entries_.front())) {
                        continue;
                    }
                    std::pop_heap(entries_.begin(), entries_.end(), order);
                    memory_.give_back(bytes_of(entries_.back()));
                    entries_.pop_back();
                }
                TOMBOLO_TRY_VOID(memory_.take(bytes_of(entry)));
                entries_.push_back(std::move(entry));
                if (limited) {
                    std::push_heap(entries_.begin(), entries_.end(), order);
                }
            }
            std::sort(entries_.begin(), entries_.end(), order);
            return {};
        }

        const Sort* stage_;
        SourcePtr input_;
        MemoryShare memory_;
        std::vector<Entry> entries_;
        std::size_t at_ = 0;
        bool read_ = false;
    };

    SortKey key_;
    std::size_t limit_ = 0; ///< 0: none
};

} // namespace

Result<StagePtr> compile_sort(BsonView spec, const StageContext&) {
    if (!spec.is_document()) {
        return invalid_stage("$sort takes an object of fields and directions");
    }
    TOMBOLO_TRY(SortKey key, SortKey::compile(spec));
    return StagePtr(std::make_unique<Sort>(std::move(key)));
}

} // namespace tombolo::mql::detail
