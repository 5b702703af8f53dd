// Updates: the document that an upsert starts from.

#include <string>
#include <string_view>
#include <vector>

#include "mql/filter_node.hpp"
#include "mql/mutable_value.hpp"
#include "mql/update_program.hpp"

namespace tombolo::mql {

namespace detail {

namespace {

struct Equality {
    std::string_view path;
    BsonView value;
};

Result<void> add_equality(std::vector<Equality>& out, std::string_view path, BsonView value) {
    for (const Equality& other : out) {
        const std::string_view shorter = path.size() < other.path.size() ? path : other.path;
        const std::string_view longer = path.size() < other.path.size() ? other.path : path;
        if (longer.starts_with(shorter) &&
            (longer.size() == shorter.size() || longer[shorter.size()] == '.')) {
            return Error(ErrorCode::mql_failed, "cannot infer query fields to set, path '" +
                                                    std::string(path) + "' is matched twice");
        }
    }
    out.push_back({path, value});
    return {};
}

Result<void> collect_field(std::vector<Equality>& out, const BsonElement& element) {
    if (element.value.type() == BsonType::regex) {
        return {};
    }
    if (!is_operator_document(element.value)) {
        return add_equality(out, element.key, element.value);
    }
    for (const BsonElement& condition : element.value.as_document()) {
        if (condition.key == "$eq") {
            TOMBOLO_TRY_VOID(add_equality(out, element.key, condition.value));
        }
        const bool single = (condition.key == "$all" || condition.key == "$in") &&
                            condition.value.as_document().count() == 1;
        if (single) {
            const BsonView only = condition.value.as_document().at(0);
            if (only.type() != BsonType::regex && !is_operator_document(only)) {
                TOMBOLO_TRY_VOID(add_equality(out, element.key, only));
            }
        }
    }
    return {};
}

// Equalities that hold for every match: those of $and and of an $or with one branch count.
Result<void> collect(std::vector<Equality>& out, BsonDocumentView filter) {
    for (const BsonElement& element : filter) {
        if (element.key == "$and" ||
            (element.key == "$or" && element.value.as_document().count() == 1)) {
            for (const BsonElement& part : element.value.as_document()) {
                TOMBOLO_TRY_VOID(collect(out, part.value.as_document()));
            }
        } else if (!element.key.starts_with('$')) {
            TOMBOLO_TRY_VOID(collect_field(out, element));
        }
    }
    return {};
}

Result<void> place(MutableValue& root, const Equality& equality) {
    MutableValue* node = &root;
    std::string_view rest = equality.path;
    for (;;) {
        const std::size_t dot = rest.find('.');
        const std::string_view name = rest.substr(0, dot);
        if (name.starts_with('$')) {
            return Error(ErrorCode::mql_failed,
                         "The dollar ($) prefixed field '" + std::string(name) + "' in '" +
                             std::string(equality.path) + "' is not valid for storage.");
        }
        MutableValue* child = node->find(name);
        if (child == nullptr) {
            child = &node->add(name);
        }
        if (dot == std::string_view::npos) {
            *child = MutableValue(equality.value);
            return {};
        }
        if (!child->is_document()) {
            child->clear_to(BsonType::document);
        }
        node = child;
        rest.remove_prefix(dot + 1);
    }
}

// Stored documents begin with their _id.
BsonDocument id_first(BsonDocument document) {
    const BsonView id = document.view().find("_id");
    if (id.is_missing() || document.view().begin()->key == "_id") {
        return document;
    }
    BsonWriter writer;
    writer.append("_id", id);
    for (const BsonElement& element : document.view()) {
        if (element.key != "_id") {
            writer.append(element.key, element.value);
        }
    }
    return std::move(writer).finish();
}

} // namespace

} // namespace detail

Result<BsonDocument> Update::upsert(const Filter& filter, UpdateInput input) const {
    std::vector<detail::Equality> equalities;
    TOMBOLO_TRY_VOID(detail::collect(equalities, filter.spec()));
    detail::MutableValue root;
    root.clear_to(BsonType::document);
    for (const detail::Equality& equality : equalities) {
        // A replacement takes nothing but the _id from the filter.
        if (!program_->is_replacement || equality.path == "_id") {
            TOMBOLO_TRY_VOID(detail::place(root, equality));
        }
    }
    BsonWriter writer;
    root.write_members(writer);
    const BsonDocument start = std::move(writer).finish();
    input.insert = true;
    input.match.array_index = -1;
    TOMBOLO_TRY(BsonDocument result, apply(start, input));
    return detail::id_first(std::move(result));
}

} // namespace tombolo::mql
