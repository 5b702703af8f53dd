#include "server/store/types.hpp"

namespace tombolo::store {

std::string CollectionName::to_string() const {
    return data_source + "/" + database + "/" + collection;
}

void Transaction::insert(CollectionId collection, mql::BsonDocument document) {
    bytes_ += document.bytes().size();
    requests_.emplace_back(
        DocumentRequest{DocumentRequest::Kind::insert, collection, {}, std::move(document), {}});
}

void Transaction::put(CollectionId collection, mql::BsonDocument document) {
    bytes_ += document.bytes().size();
    requests_.emplace_back(
        DocumentRequest{DocumentRequest::Kind::put, collection, {}, std::move(document), {}});
}

void Transaction::replace(CollectionId collection, mql::BsonDocument document, Version expected) {
    bytes_ += document.bytes().size();
    requests_.emplace_back(DocumentRequest{
        DocumentRequest::Kind::replace, collection, {}, std::move(document), expected});
}

void Transaction::erase(CollectionId collection, std::string key, std::optional<Version> expected) {
    bytes_ += key.size();
    requests_.emplace_back(
        DocumentRequest{DocumentRequest::Kind::erase, collection, std::move(key), {}, expected});
}

void Transaction::put_record(Space space, std::string key, std::string value) {
    bytes_ += key.size() + value.size();
    requests_.emplace_back(
        RecordRequest{RecordRequest::Kind::put, space, std::move(key), std::move(value), {}});
}

void Transaction::insert_record(Space space, std::string key, std::string value) {
    bytes_ += key.size() + value.size();
    requests_.emplace_back(
        RecordRequest{RecordRequest::Kind::insert, space, std::move(key), std::move(value), {}});
}

void Transaction::replace_record(Space space, std::string key, std::optional<std::string> expected,
                                 std::optional<std::string> value) {
    bytes_ += key.size() + (value ? value->size() : 0);
    requests_.emplace_back(RecordRequest{RecordRequest::Kind::replace, space, std::move(key),
                                         std::move(value), std::move(expected)});
}

void Transaction::erase_record(Space space, std::string key) {
    bytes_ += key.size();
    requests_.emplace_back(
        RecordRequest{RecordRequest::Kind::erase, space, std::move(key), {}, {}});
}

void Transaction::erase_records(Space space, std::string begin, std::string end) {
    bytes_ += begin.size() + end.size();
    requests_.emplace_back(RecordRequest{
        RecordRequest::Kind::erase_range, space, std::move(begin), std::move(end), {}});
}

} // namespace tombolo::store
