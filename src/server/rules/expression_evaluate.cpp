// Bound trees on documents.

#include <algorithm>

#include "core/object_id.hpp"
#include "core/uuid.hpp"
#include "mql/path.hpp"
#include "server/rules/expression_tree.hpp"

namespace tombolo::rules::detail {

using mql::BsonElement;
using mql::BsonType;
using mql::BsonValue;
using mql::BsonView;

namespace {

constexpr std::uint8_t uuid_subtype = 4;
/// Remembered results of functions; beyond, they are asked again.
constexpr std::size_t results_max = 1000;

BsonView source_value(Source source, const Subject& subject) noexcept {
    switch (source) {
    case Source::root:
        return subject.root.as_value();
    case Source::previous:
        return subject.previous != nullptr ? subject.previous->as_value() : BsonView();
    case Source::field:
        return subject.field;
    case Source::previous_field:
        return subject.previous_field;
    default:
        return {};
    }
}

Result<BsonValue> call(const Operand& function, const Bound& tree, const Subject& subject);

// A field that is not there counts as null, as everywhere in documents.
Result<BsonValue> value_of(const Operand& operand, const Bound& tree, const Subject& subject) {
    switch (operand.kind) {
    case Operand::Kind::undefined:
        return BsonValue();
    case Operand::Kind::literal:
        return operand.literal;
    case Operand::Kind::expansion: {
        BsonValue value = value_at(source_value(operand.source, subject), operand.path);
        return value.is_missing() ? BsonValue::from_null() : std::move(value);
    }
    case Operand::Kind::conversion: {
        TOMBOLO_TRY(const BsonValue value, value_of(operand.items[0], tree, subject));
        return convert(operand.conversion, value);
    }
    case Operand::Kind::function:
        return call(operand, tree, subject);
    case Operand::Kind::list:
        break;
    }
    mql::BsonWriter writer(true);
    for (const Operand& item : operand.items) {
        TOMBOLO_TRY(const BsonValue value, value_of(item, tree, subject));
        writer.append({}, value);
    }
    return std::move(writer).finish().into_array_value();
}

Result<BsonValue> call(const Operand& function, const Bound& tree, const Subject& subject) {
    if (!tree.function) {
        return Error(ErrorCode::unavailable, "functions cannot be called here", function.function);
    }
    std::vector<BsonValue> arguments;
    std::string key = function.function;
    for (const Operand& item : function.items) {
        TOMBOLO_TRY(BsonValue value, value_of(item, tree, subject));
        const ByteView bytes = value.view().bytes();
        key += '\0';
        key += static_cast<char>(value.type());
        key += std::to_string(bytes.size()) + ':';
        key.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        arguments.push_back(std::move(value));
    }
    const auto known = tree.results.find(key);
    if (known != tree.results.end()) {
        return known->second;
    }
    TOMBOLO_TRY(BsonValue result, tree.function(function.function, arguments));
    if (tree.results.size() < results_max) {
        tree.results.emplace(std::move(key), result);
    }
    return result;
}

Result<bool> compare(const BoundNode& node, const Bound& tree, const Subject& subject) {
    TOMBOLO_TRY(const BsonValue left, value_of(node.left, tree, subject));
    TOMBOLO_TRY(const BsonValue right, value_of(node.right, tree, subject));
    if (left.is_missing() || right.is_missing()) {
        return false;
    }
    const auto spec = query_spec("value", node.op, right);
    if (!spec) {
        return false;
    }
    TOMBOLO_TRY(const mql::Filter filter, mql::Filter::compile(*spec));
    mql::BsonWriter writer;
    writer.append("value", left);
    return filter.matches(std::move(writer).finish());
}

Result<bool> query(const BoundNode& node, const Subject& subject) {
    switch (node.source) {
    case Source::root:
        return node.filter.matches(subject.root);
    case Source::previous:
        return node.filter.matches(subject.previous != nullptr ? *subject.previous
                                                               : mql::BsonDocumentView());
    default:
        break;
    }
    mql::BsonWriter writer;
    writer.append("value", source_value(node.source, subject));
    return node.filter.matches(std::move(writer).finish());
}

Result<bool> group(const BoundNode& node, const Bound& tree, const Subject& subject) {
    const bool decisive = node.kind != BoundNode::Kind::all;
    for (const BoundNode& child : node.children) {
        TOMBOLO_TRY(const bool holds, evaluate(child, tree, subject));
        if (holds == decisive) {
            return node.kind == BoundNode::Kind::any;
        }
    }
    return node.kind != BoundNode::Kind::any;
}

} // namespace

BsonValue value_at(BsonView value, std::string_view path) {
    if (path.empty()) {
        return BsonValue(value);
    }
    const std::size_t dot = path.find('.');
    const std::string_view name = path.substr(0, dot);
    const std::string_view rest =
        dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
    if (value.is_document()) {
        return value_at(value.as_document().find(name), rest);
    }
    if (!value.is_array()) {
        return {};
    }
    const std::int64_t index = mql::array_index(name);
    if (index >= 0) {
        return value_at(value.as_document().at(static_cast<std::size_t>(index)), rest);
    }
    mql::BsonWriter writer(true);
    for (const BsonElement& element : value.as_document()) {
        if (element.value.is_document()) {
            writer.append({}, value_at(element.value, path));
        }
    }
    return std::move(writer).finish().into_array_value();
}

BsonValue convert(Conversion conversion, BsonView value) {
    switch (conversion) {
    case Conversion::string_to_oid:
        if (value.is_string()) {
            const auto id = ObjectId::parse(value.as_string());
            return id ? BsonValue::from_object_id(*id) : BsonValue();
        }
        return {};
    case Conversion::oid_to_string:
        return value.type() == BsonType::object_id
                   ? BsonValue::from_string(value.as_object_id().to_string())
                   : BsonValue();
    case Conversion::string_to_uuid:
        if (value.is_string()) {
            const auto id = Uuid::parse(value.as_string());
            return id ? BsonValue::from_binary(uuid_subtype, id->bytes) : BsonValue();
        }
        return {};
    case Conversion::uuid_to_string:
        break;
    }
    if (value.type() != BsonType::binary || value.as_binary().subtype != uuid_subtype ||
        value.as_binary().bytes.size() != Uuid().bytes.size()) {
        return {};
    }
    Uuid id;
    std::copy(value.as_binary().bytes.begin(), value.as_binary().bytes.end(), id.bytes.begin());
    return BsonValue::from_string(id.to_string());
}

Result<bool> evaluate(const BoundNode& node, const Bound& tree, const Subject& subject) {
    switch (node.kind) {
    case BoundNode::Kind::constant:
        return node.value;
    case BoundNode::Kind::query:
        return query(node, subject);
    case BoundNode::Kind::exists:
        return (node.source == Source::root || subject.previous != nullptr) == node.value;
    case BoundNode::Kind::compare:
        return compare(node, tree, subject);
    case BoundNode::Kind::call: {
        TOMBOLO_TRY(const BsonValue result, call(node.left, tree, subject));
        return result.view().truthy();
    }
    case BoundNode::Kind::all:
    case BoundNode::Kind::any:
    case BoundNode::Kind::none:
        break;
    }
    return group(node, tree, subject);
}

} // namespace tombolo::rules::detail
