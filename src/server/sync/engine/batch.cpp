#include "server/sync/engine/batch.hpp"

#include "changeset/codec.hpp"
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

Batch::Batch(std::unique_ptr<store::Snapshot> snapshot, const store::Store& store,
             const RecordKeys& keys, std::shared_ptr<const Model> model, const EntryCache& cache,
             Number top, RecentObjects& recent)
    : snapshot_(std::move(snapshot)), store_(store), keys_(keys), cache_(cache), recent_(recent),
      base_top_(top), top_(top) {
    set_model(std::move(model));
}

void Batch::set_model(std::shared_ptr<const Model> model) {
    model_ = std::move(model);
    durable_.emplace(*snapshot_, store_, keys_, *model_, cache_, base_top_);
}

Result<std::shared_ptr<const Entry>> Batch::entry(Number version) const {
    const auto found = entries_.find(version);
    return found == entries_.end() ? durable_->entry(version)
                                   : Result<std::shared_ptr<const Entry>>(found->second);
}

Result<PartList> Batch::parts(const ObjectRef& object, Number after) const {
    PartList parts;
    if (after < base_top_) {
        TOMBOLO_TRY(parts, durable_->parts(object, after));
    }
    if (const auto found = documents_.find(object); found != documents_.end()) {
        for (const auto& each : found->second.parts) {
            if (each.first > after) {
                parts.push_back(each);
            }
        }
    }
    return parts;
}

Result<Image> Batch::current(const ObjectRef& object) const {
    const auto found = documents_.find(object);
    return found == documents_.end() ? durable_->current(object) : Result<Image>(found->second.now);
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
        if (Result<Image> image = durable_->current(object)) {
            document->base = *image;
            document->now = *image;
        }
    }
    document->parts.emplace_back(top_, std::move(part));
}

} // namespace tombolo::server::sync
