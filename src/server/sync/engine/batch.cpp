#include "server/sync/engine/batch.hpp"

#include "changeset/codec.hpp"
#include "core/check.hpp"
#include "core/record_codec.hpp"

namespace tombolo::server::sync {

std::string encode(const Reciprocal& reciprocal) {
    RecordWriter out;
    out.number(reciprocal.timestamp)
        .number(reciprocal.origin)
        .bytes(changeset::encode(reciprocal.changeset));
    return out.take();
}

Result<Reciprocal> decode_reciprocal(std::string_view record) {
    RecordReader in(record);
    Reciprocal reciprocal;
    reciprocal.timestamp = in.number();
    reciprocal.origin = in.number();
    const std::string_view bytes = in.text();
    TOMBOLO_TRY_VOID(in.finish("reciprocal"));
    TOMBOLO_TRY(reciprocal.changeset, changeset::decode(as_bytes(bytes)));
    return reciprocal;
}

Batch::Batch(std::shared_ptr<const store::Snapshot> snapshot, const store::Store& store,
             const RecordKeys& keys, std::shared_ptr<const Model> model, const EntryCache& cache,
             Number top, RecentObjects& recent, const Batch* older)
    : snapshot_(std::move(snapshot)), older_(older), store_(store), keys_(keys), cache_(cache),
      recent_(recent), base_top_(top), top_(top) {
    TOMBOLO_CHECK(older == nullptr || older->older_ == nullptr); // parts() looks no deeper
    set_model(std::move(model));
}

void Batch::rebase(std::shared_ptr<const store::Snapshot> snapshot) {
    durable_.reset();
    older_ = nullptr;
    snapshot_ = std::move(snapshot);
    set_model(std::move(model_));
}

void Batch::set_model(std::shared_ptr<const Model> model) {
    model_ = std::move(model);
    durable_.emplace(*snapshot_, store_, keys_, *model_, cache_, base_top_);
}

Result<std::shared_ptr<const Entry>> Batch::entry(Number version) const {
    for (const Batch* batch : {this, older_}) {
        if (batch != nullptr && version > batch->base_top_) {
            if (const auto found = batch->entries_.find(version); found != batch->entries_.end()) {
                return found->second;
            }
        }
    }
    return durable_->entry(version);
}

Result<PartList> Batch::parts(const ObjectRef& object, Number after) const {
    PartList parts;
    if (after < (older_ == nullptr ? base_top_ : older_->base_top_)) {
        TOMBOLO_TRY(parts, durable_->parts(object, after));
    }
    for (const Batch* batch : {older_, this}) {
        const auto* document = batch == nullptr ? nullptr : batch->find(object);
        if (document == nullptr) {
            continue;
        }
        for (const auto& each : document->parts) {
            if (each.first > after) {
                parts.push_back(each);
            }
        }
    }
    return parts;
}

Result<Image> Batch::current(const ObjectRef& object) const {
    const ChangedDocument* document = find(object);
    return document == nullptr ? below(object) : Result<Image>(document->now);
}

const ChangedDocument* Batch::find(const ObjectRef& object) const {
    const auto found = documents_.find(object);
    return found == documents_.end() ? nullptr : &found->second;
}

Result<Image> Batch::below(const ObjectRef& object) const {
    // With this batch's own model: the one below may not know the class yet.
    const ChangedDocument* document = older_ == nullptr ? nullptr : older_->find(object);
    return document == nullptr ? durable_->current(object) : Result<Image>(document->now);
}

Number Batch::append(std::shared_ptr<const Entry> entry) {
    bytes_ += entry->bytes();
    entries_.emplace(++top_, std::move(entry));
    return top_;
}

std::pair<ChangedDocument*, bool> Batch::take(const ObjectRef& object) {
    const auto [place, is_new] = documents_.try_emplace(object);
    if (is_new) {
        order_.push_back(&*place);
    }
    return {&place->second, is_new};
}

void Batch::change(const ObjectRef& object, const Image& before, const Image& after) {
    PartRecord part;
    if (before.exists()) {
        part.before.kind = before.modified ? BeforeImage::Kind::stored : BeforeImage::Kind::inlined;
        if (before.modified) {
            part.before.version = *before.modified;
        } else {
            part.before.document = *before.document;
            part.before.sidecar = before.sidecar ? *before.sidecar : std::string();
        }
    }
    recent_.note(object, top_);
    const auto [document, is_new] = take(object);
    if (is_new) {
        document->base = before;
    }
    document->now = after;
    document->parts.emplace_back(top_, std::move(part));
}

void Batch::rewrite(const ObjectRef& object, const Image& before, const Image& after) {
    const auto [document, is_new] = take(object);
    if (is_new) {
        document->base = before;
    }
    document->now = after;
    document->is_rewritten = true;
}

void Batch::add_part(const ObjectRef& object, PartRecord part) {
    recent_.note(object, top_);
    const auto [document, is_new] = take(object);
    if (is_new) {
        if (Result<Image> image = below(object)) {
            document->base = *image;
            document->now = *image;
        }
    }
    document->parts.emplace_back(top_, std::move(part));
}

} // namespace tombolo::server::sync
