#pragma once

// A document and the object that devices see in it.
//
// What BSON cannot hold exactly lies beside the document, in a document of the same key in a
// collection of its own (the sidecar), written and read with it. Entries apply only while the
// document still says what was written (schema/document.hpp).
//
// Images are immutable and shared; a default one is "no such document".

#include <memory>
#include <optional>
#include <string>

#include "core/result.hpp"
#include "core/value.hpp"
#include "schema/document.hpp"
#include "server/store/store.hpp"
#include "server/sync/engine/model.hpp"
#include "server/sync/engine/records.hpp"

namespace tombolo::server::sync {

/// A document's bytes at some version.
struct Image {
    std::shared_ptr<const std::string> document; ///< BSON; null: absent
    std::shared_ptr<const std::string> sidecar;  ///< null: nothing is inexact
    /// The store version that wrote it; nothing while it is not committed.
    std::optional<store::Version> modified;
    /// Whether it can be synced, where that is known already.
    std::optional<bool> is_syncable;

    bool exists() const noexcept { return document != nullptr; }
    ByteView bson() const noexcept { return as_bytes(*document); }
};

/// The object without its key, all fields of the class present; nothing when the document cannot be
/// synced. REQUIRES: the image exists.
std::optional<Object> read_object(const Model& model, std::string_view class_name,
                                  const Image& image);
/// Why it cannot: for the log.
std::string why_unsyncable(const Model& model, std::string_view class_name, const Image& image);

/// The image that says what the object says; fields outside the schema stay. Errors:
/// invalid_document, bad_utf8, limit_exceeded: the object cannot be stored.
Result<Image> write_object(const Model& model, const ObjectRef& name, Object object,
                           const Image& previous);

std::string encode_exact(const std::vector<schema::InexactValue>& values);
Result<std::vector<schema::InexactValue>> decode_exact(std::string_view bytes);

/// Reads images from a snapshot. Borrows.
class ImageReader {
  public:
    ImageReader(const store::Snapshot& snapshot, const store::Store& store) noexcept
        : snapshot_(snapshot), store_(store) {}

    Result<Image> current(const Model& model, const ObjectRef& object) const;
    Result<Image> before(const Model& model, const ObjectRef& object,
                         const BeforeImage& before) const;
    /// The sidecar of a document found by a scan.
    Result<std::shared_ptr<const std::string>> sidecar(const ClassStorage& storage,
                                                       std::string_view key,
                                                       std::optional<store::Version> at) const;

  private:
    Result<std::optional<store::StoredDocument>>
    image_at(store::CollectionId collection, std::string_view key, store::Version version) const;

    const store::Snapshot& snapshot_;
    const store::Store& store_;
};

/// The image as a request of the transaction that makes it current. `before`: what is there.
Result<void> put_image(const Model& model, const ObjectRef& object, const Image& before,
                       const Image& after, store::Store& store, store::Transaction& transaction);

} // namespace tombolo::server::sync
