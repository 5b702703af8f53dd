#include "server/sync/engine/documents.hpp"

#include <algorithm>
#include <bit>

#include "core/record_codec.hpp"

namespace tombolo::server::sync {

namespace {

std::shared_ptr<const std::string> share(ByteView bytes) {
    return std::make_shared<const std::string>(as_text(bytes));
}

void write_key(RecordWriter& out, const PrimaryKey& key) {
    out.text(encode_object({"", key}));
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the value, which limits::document_depth_max bounds
void write_value(RecordWriter& out, const Value& value) {
    out.number(static_cast<Number>(value.type()));
    switch (value.type()) {
    case ValueType::null:
        break;
    case ValueType::integer:
        out.number(static_cast<Number>(*value.get_if<std::int64_t>()));
        break;
    case ValueType::boolean:
        out.number(*value.get_if<bool>() ? 1 : 0);
        break;
    case ValueType::string:
        out.text(*value.get_if<std::string>());
        break;
    case ValueType::binary:
        out.bytes(value.get_if<Binary>()->bytes);
        break;
    case ValueType::timestamp: {
        const auto& time = *value.get_if<Timestamp>();
        out.number(static_cast<Number>(time.seconds()))
            .number(static_cast<Number>(std::int64_t{time.nanoseconds()}));
        break;
    }
    case ValueType::float32:
        out.number(std::bit_cast<std::uint32_t>(*value.get_if<float>()));
        break;
    case ValueType::float64:
        out.number(std::bit_cast<std::uint64_t>(*value.get_if<double>()));
        break;
    case ValueType::decimal128: {
        const auto& decimal = *value.get_if<Decimal128>();
        out.number(decimal.high).number(decimal.low);
        break;
    }
    case ValueType::link:
        out.text(value.link()->class_name);
        write_key(out, value.link()->key);
        break;
    case ValueType::object_id:
        write_key(out, *value.get_if<ObjectId>());
        break;
    case ValueType::uuid:
        write_key(out, *value.get_if<Uuid>());
        break;
    case ValueType::list:
        out.number(value.get_if<List>()->elements.size());
        for (const Value& each : value.get_if<List>()->elements) {
            write_value(out, each);
        }
        break;
    case ValueType::set:
        out.number(value.get_if<Set>()->elements().size());
        for (const Value& each : value.get_if<Set>()->elements()) {
            write_value(out, each);
        }
        break;
    case ValueType::dictionary:
    case ValueType::object: {
        const Dictionary& fields = value.type() == ValueType::object
                                       ? value.get_if<Object>()->fields
                                       : *value.get_if<Dictionary>();
        out.number(fields.size());
        for (const auto& [name, each] : fields.entries()) {
            out.text(name);
            write_value(out, each);
        }
        break;
    }
    }
}

struct KeyValue {
    Value operator()(std::monostate) const { return {}; }
    Value operator()(const GlobalKey&) const { return {}; }
    template <class Key>
    Value operator()(const Key& key) const {
        return Value(key);
    }
};

Value read_key(RecordReader& in) {
    std::string_view bytes = in.text();
    Result<ObjectRef> object = decode_object(bytes);
    if (object) {
        if (const auto* id = std::get_if<ObjectId>(&object->key)) {
            return *id;
        }
        if (const auto* id = std::get_if<Uuid>(&object->key)) {
            return *id;
        }
    }
    return {};
}

Value read_link(RecordReader& in) {
    Link link;
    link.class_name = in.text();
    std::string_view bytes = in.text();
    if (Result<ObjectRef> object = decode_object(bytes)) {
        link.key = object->key;
    }
    return link;
}

Value read_value(RecordReader& in, int depth);

// NOLINTNEXTLINE(misc-no-recursion): depth is counted
Value read_collection(RecordReader& in, ValueType type, int depth) {
    List list;
    Set set;
    Dictionary fields;
    const Number count = in.number();
    for (Number i = 0; i < count && !in.failed(); ++i) {
        if (type == ValueType::list) {
            list.elements.push_back(read_value(in, depth));
        } else if (type == ValueType::set) {
            set.insert(read_value(in, depth));
        } else {
            const std::string name(in.text());
            fields.set(name, read_value(in, depth));
        }
    }
    switch (type) {
    case ValueType::list:
        return list;
    case ValueType::set:
        return set;
    case ValueType::dictionary:
        return fields;
    default:
        return Object{std::move(fields)};
    }
}

// NOLINTNEXTLINE(misc-no-recursion): depth is counted
Value read_value(RecordReader& in, int depth) {
    const auto type = static_cast<ValueType>(in.number());
    if (in.failed() || depth > 250) {
        return {};
    }
    switch (type) {
    case ValueType::null:
        return {};
    case ValueType::integer:
        return static_cast<std::int64_t>(in.number());
    case ValueType::boolean:
        return in.number() != 0;
    case ValueType::string:
        return in.text();
    case ValueType::binary:
        return Binary{in.bytes()};
    case ValueType::timestamp: {
        const auto seconds = static_cast<std::int64_t>(in.number());
        const auto nanoseconds = static_cast<std::int32_t>(in.number());
        const Result<Timestamp> time = Timestamp::make(seconds, nanoseconds);
        return time ? Value(*time) : Value();
    }
    case ValueType::float32:
        return std::bit_cast<float>(static_cast<std::uint32_t>(in.number()));
    case ValueType::float64:
        return std::bit_cast<double>(in.number());
    case ValueType::decimal128: {
        Decimal128 decimal;
        decimal.high = in.number();
        decimal.low = in.number();
        return decimal;
    }
    case ValueType::link:
        return read_link(in);
    case ValueType::object_id:
    case ValueType::uuid:
        return read_key(in);
    default:
        return read_collection(in, type, depth + 1);
    }
}

} // namespace

std::string encode_exact(const std::vector<schema::InexactValue>& values) {
    RecordWriter out;
    out.number(values.size());
    for (const schema::InexactValue& each : values) {
        out.number(each.path.size());
        for (const schema::PathElement& element : each.path) {
            if (const auto* name = std::get_if<std::string>(&element)) {
                out.number(0).text(*name);
            } else {
                out.number(1).number(std::get<std::uint32_t>(element));
            }
        }
        write_value(out, each.exact);
    }
    return out.take();
}

Result<std::vector<schema::InexactValue>> decode_exact(std::string_view bytes) {
    RecordReader in(bytes);
    std::vector<schema::InexactValue> values;
    const Number count = in.number();
    for (Number i = 0; i < count && !in.failed(); ++i) {
        schema::InexactValue value;
        const Number steps = in.number();
        for (Number step = 0; step < steps && !in.failed(); ++step) {
            if (in.number() == 0) {
                value.path.emplace_back(std::string(in.text()));
            } else {
                value.path.emplace_back(static_cast<std::uint32_t>(in.number()));
            }
        }
        value.exact = read_value(in, 0);
        values.push_back(std::move(value));
    }
    TOMBOLO_TRY_VOID(in.finish("exact values of a document"));
    return values;
}

std::optional<Object> read_object(const Model& model, std::string_view class_name,
                                  const Image& image) {
    schema::ReadDocument read =
        schema::document_to_object(model.documents(), class_name, image.bson());
    if (!read.ok()) {
        return std::nullopt;
    }
    if (image.sidecar != nullptr) {
        if (Result<std::vector<schema::InexactValue>> exact = decode_exact(*image.sidecar)) {
            schema::restore_exact(model.documents(), class_name, read.object, *exact);
        }
    }
    if (const changeset::ClassInfo* info = model.find_class(class_name)) {
        read.object.fields.erase(info->primary_key);
    }
    return std::move(read.object);
}

std::string why_unsyncable(const Model& model, std::string_view class_name, const Image& image) {
    const schema::ReadDocument read =
        schema::document_to_object(model.documents(), class_name, image.bson());
    return read.ok() ? std::string() : schema::to_text(read.problems.front());
}

Result<Image> write_object(const Model& model, const ObjectRef& name, Object object,
                           const Image& previous) {
    const changeset::ClassInfo* info = model.find_class(name.class_name);
    object.fields.set(info->primary_key, std::visit(KeyValue{}, name.key));
    TOMBOLO_TRY(
        schema::WrittenDocument written,
        previous.exists()
            ? schema::update_document(model.documents(), name.class_name, object, previous.bson())
            : schema::object_to_document(model.documents(), name.class_name, object));
    Image image;
    image.document = share(written.bson);
    if (!written.inexact.empty()) {
        image.sidecar = std::make_shared<const std::string>(encode_exact(written.inexact));
    }
    return image;
}

/// The image that was written at `version` and stood until after the store's floor: the floor's own
/// image, when it is older than the floor.
Result<std::optional<store::StoredDocument>> ImageReader::image_at(store::CollectionId collection,
                                                                   std::string_view key,
                                                                   store::Version version) const {
    for (;;) {
        const store::Version floor = store_.floor();
        Result<std::optional<store::StoredDocument>> found =
            snapshot_.find_at(collection, key, std::max(version, floor));
        if (found || found.error().code() != ErrorCode::out_of_range || store_.floor() == floor) {
            return found;
        }
    }
}

Result<std::shared_ptr<const std::string>>
ImageReader::sidecar(const ClassStorage& storage, std::string_view key,
                     std::optional<store::Version> at) const {
    const std::optional<store::CollectionId> collection =
        store_.find_collection(storage.sidecar_name);
    if (!collection) {
        return std::shared_ptr<const std::string>();
    }
    TOMBOLO_TRY(const std::optional<store::StoredDocument> found,
                at ? image_at(*collection, key, *at) : snapshot_.find(*collection, key));
    if (!found) {
        return std::shared_ptr<const std::string>();
    }
    const mql::BsonView value = found->body.view().find("exact");
    if (value.type() != mql::BsonType::binary) {
        return std::shared_ptr<const std::string>();
    }
    return share(value.as_binary().bytes);
}

Result<Image> ImageReader::current(const Model& model, const ObjectRef& object) const {
    const ClassStorage* storage = model.storage(object.class_name);
    if (storage == nullptr) {
        return Image();
    }
    TOMBOLO_TRY(const std::string key, document_key_of(to_view(object.key)));
    TOMBOLO_TRY(const std::optional<store::StoredDocument> found,
                snapshot_.find(storage->documents, key));
    Image image;
    if (found) {
        image.document = share(found->body.bytes());
        image.modified = found->modified;
        TOMBOLO_TRY(image.sidecar, sidecar(*storage, key, std::nullopt));
    }
    return image;
}

Result<Image> ImageReader::before(const Model& model, const ObjectRef& object,
                                  const BeforeImage& before) const {
    Image image;
    switch (before.kind) {
    case BeforeImage::Kind::absent:
        break;
    case BeforeImage::Kind::inlined:
        image.document = std::make_shared<const std::string>(before.document);
        if (!before.sidecar.empty()) {
            image.sidecar = std::make_shared<const std::string>(before.sidecar);
        }
        break;
    case BeforeImage::Kind::stored: {
        const ClassStorage* storage = model.storage(object.class_name);
        if (storage == nullptr) {
            break;
        }
        TOMBOLO_TRY(const std::string key, document_key_of(to_view(object.key)));
        TOMBOLO_TRY(const std::optional<store::StoredDocument> found,
                    image_at(storage->documents, key, before.version));
        if (!found) {
            return Error(ErrorCode::store_corrupt, "a past image is missing", to_text(object));
        }
        if (found->modified != before.version) {
            return Error(ErrorCode::out_of_range, "a past image was trimmed", to_text(object));
        }
        image.document = share(found->body.bytes());
        image.modified = before.version;
        TOMBOLO_TRY(image.sidecar, sidecar(*storage, key, before.version));
        break;
    }
    }
    return image;
}

Result<void> put_image(const Model& model, const ObjectRef& object, const Image& before,
                       const Image& after, store::Store& store, store::Transaction& transaction) {
    const ClassStorage* storage = model.storage(object.class_name);
    TOMBOLO_TRY(std::string key, document_key_of(to_view(object.key)));
    if (after.exists()) {
        // What the store gave, or what the engine or somebody's transaction wrote: valid.
        transaction.put(storage->documents,
                        mql::BsonDocument(mql::BsonDocumentView::from_trusted(after.bson())));
    } else if (before.exists()) {
        transaction.erase(storage->documents, key);
    }
    if (after.sidecar != nullptr) {
        TOMBOLO_TRY(const store::CollectionId collection,
                    store.ensure_collection(storage->sidecar_name));
        mql::BsonWriter writer;
        writer.append("_id", to_bson(to_view(object.key)));
        writer.append("exact", mql::BsonValue::from_binary(0, as_bytes(*after.sidecar)));
        transaction.put(collection, std::move(writer).finish());
    } else if (before.sidecar != nullptr) {
        TOMBOLO_TRY(const store::CollectionId collection,
                    store.ensure_collection(storage->sidecar_name));
        transaction.erase(collection, std::move(key));
    }
    return {};
}

} // namespace tombolo::server::sync
