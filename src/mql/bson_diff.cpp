#include "mql/bson_diff.hpp"

#include <unordered_map>

#include "mql/bson_compare.hpp"

namespace tombolo::mql {

namespace {

class Differ {
  public:
    std::vector<FieldChange> run(BsonDocumentView before, BsonDocumentView after) {
        documents(before, after);
        return std::move(changes_);
    }

  private:
    // Most updates keep the order of fields: only from the first difference of names on is a table
    // of them needed.
    void documents(BsonDocumentView before, BsonDocumentView after) {
        auto left = before.begin();
        auto right = after.begin();
        const auto left_end = before.end();
        const auto right_end = after.end();
        for (; left != left_end && right != right_end && left->key == right->key; ++left, ++right) {
            value(left->key, left->value, right->value);
        }
        std::unordered_map<std::string_view, BsonView> left_rest;
        std::unordered_map<std::string_view, BsonView> right_rest;
        for (auto it = right; it != right_end; ++it) {
            right_rest.emplace(it->key, it->value);
        }
        for (; left != left_end; ++left) {
            left_rest.emplace(left->key, left->value);
            const auto found = right_rest.find(left->key);
            value(left->key, left->value, found == right_rest.end() ? BsonView() : found->second);
        }
        for (; right != right_end; ++right) {
            if (left_rest.find(right->key) == left_rest.end()) {
                value(right->key, {}, right->value);
            }
        }
    }

    // REQUIRES: as many elements in both.
    void arrays(BsonDocumentView before, BsonDocumentView after) {
        auto right = after.begin();
        for (const BsonElement& element : before) {
            value(element.key, element.value, right->value);
            ++right;
        }
    }

    void value(std::string_view key, BsonView before, BsonView after) {
        if (identical(before, after)) {
            return;
        }
        path_.push_back(key);
        if (before.is_document() && after.is_document()) {
            documents(before.as_document(), after.as_document());
        } else if (before.is_array() && after.is_array() &&
                   before.as_document().count() == after.as_document().count()) {
            arrays(before.as_document(), after.as_document());
        } else {
            changes_.push_back({path_, before, after});
        }
        path_.pop_back();
    }

    std::vector<std::string_view> path_;
    std::vector<FieldChange> changes_;
};

} // namespace

std::vector<FieldChange> diff(BsonDocumentView before, BsonDocumentView after) {
    return Differ().run(before, after);
}

} // namespace tombolo::mql
