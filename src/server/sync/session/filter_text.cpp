#include "server/sync/session/filter_text.hpp"

#include "core/bson.hpp"
#include "query/literal_text.hpp"

namespace tombolo::server::sync {

using mql::BsonElement;
using mql::BsonView;

namespace {

constexpr std::string_view always = "TRUEPREDICATE";
constexpr std::string_view never = "FALSEPREDICATE";

Error unsupported(const std::string& what) {
    return Error(ErrorCode::unsupported, what + " is not possible in sync");
}

std::string negated(const std::string& text) {
    return text == always  ? std::string(never)
           : text == never ? std::string(always)
                           : "NOT (" + text + ")";
}

// Flat and simplified, so that equal rules are equal texts.
std::string joined(const std::vector<std::string>& parts, bool all) {
    const std::string_view neutral = all ? always : never;
    const std::string_view decisive = all ? never : always;
    std::string out;
    std::size_t count = 0;
    for (const std::string& part : parts) {
        if (part == decisive) {
            return part;
        }
        if (part == neutral) {
            continue;
        }
        out += (count++ == 0 ? "" : all ? " AND " : " OR ") + ("(" + part + ")");
    }
    if (count == 0) {
        return std::string(neutral);
    }
    return count == 1 ? out.substr(1, out.size() - 2) : out;
}

class FilterPrinter {
  public:
    explicit FilterPrinter(const schema::ClassSchema& class_schema) : class_(class_schema) {}

    Result<std::string> filter(mql::BsonDocumentView filter) const {
        std::vector<std::string> parts;
        for (const BsonElement& element : filter) {
            TOMBOLO_TRY(std::string part, clause(element));
            parts.push_back(std::move(part));
        }
        return joined(parts, true);
    }

  private:
    Result<std::string> clause(const BsonElement& element) const {
        if (element.key == "$and" || element.key == "$or" || element.key == "$nor") {
            std::vector<std::string> parts;
            for (const BsonElement& each : element.value.as_document()) {
                TOMBOLO_TRY(std::string part, filter(each.value.as_document()));
                parts.push_back(std::move(part));
            }
            const std::string text = joined(parts, element.key == "$and");
            return element.key == "$nor" ? negated(text) : text;
        }
        const schema::Property* property = class_.find(element.key);
        if (property == nullptr) {
            return unsupported("a filter on '" + std::string(element.key) +
                               "', which the class does not have,");
        }
        std::vector<std::string> parts;
        for (const BsonElement& test : element.value.as_document()) {
            TOMBOLO_TRY(std::string part, comparison(*property, test));
            parts.push_back(std::move(part));
        }
        return joined(parts, true);
    }

    static Result<std::string> comparison(const schema::Property& property,
                                          const BsonElement& test) {
        std::string field = property.is_collection() ? "ANY " : "";
        query::append_name(field, property.name);
        if (test.key == "$in" || test.key == "$nin") {
            return membership(field, test);
        }
        if (test.key == "$all" && test.value.is_array()) {
            return every(field, test);
        }
        if (test.key == "$elemMatch" && property.is_collection()) {
            return element(property, test);
        }
        if (test.key == "$exists") {
            if (property.is_collection()) {
                return unsupported("$exists on a collection");
            }
            // Null and missing are one on devices.
            return field + (test.value.truthy() ? " != NULL" : " == NULL");
        }
        static constexpr std::pair<std::string_view, std::string_view> operators[] = {
            {"$eq", " == "},  {"$ne", " == "}, {"$gt", " > "},
            {"$gte", " >= "}, {"$lt", " < "},  {"$lte", " <= "}};
        for (const auto& [name, text] : operators) {
            if (test.key == name) {
                TOMBOLO_TRY(const std::string value, literal(test.value));
                std::string out = field + std::string(text) + value;
                return test.key == "$ne" ? negated(out) : out;
            }
        }
        return unsupported(std::string(test.key));
    }

    // Each of the values is there; as in documents, none asked for is none found.
    static Result<std::string> every(const std::string& field, const BsonElement& test) {
        std::vector<std::string> parts;
        for (const BsonElement& each : test.value.as_document()) {
            TOMBOLO_TRY(const std::string value, literal(each.value));
            parts.push_back(field + " == " + value);
        }
        return parts.empty() ? std::string(never) : joined(parts, true);
    }

    // One element that equals the value. More could be asked of one element than ANY can say.
    static Result<std::string> element(const schema::Property& property, const BsonElement& test) {
        const mql::BsonDocumentView tests = test.value.as_document();
        if (tests.count() == 1 && (*tests.begin()).key == "$eq") {
            return comparison(property, *tests.begin());
        }
        return unsupported("$elemMatch with more than one $eq");
    }

    static Result<std::string> membership(const std::string& field, const BsonElement& test) {
        std::vector<std::string> parts;
        std::string list;
        for (const BsonElement& each : test.value.as_document()) {
            TOMBOLO_TRY(const std::string value, literal(each.value));
            list += (list.empty() ? "" : ", ") + value;
        }
        const std::string text = list.empty() ? std::string(never) : field + " IN {" + list + "}";
        return test.key == "$nin" ? negated(text) : text;
    }

    static Result<std::string> literal(BsonView view) {
        mql::BsonWriter writer;
        writer.append({}, view);
        TOMBOLO_TRY(const Value value, unwrap_from_bson(std::move(writer).finish().bytes()));
        if (!value.is_scalar()) {
            return unsupported("a comparison with " + std::string(mql::type_alias(view.type())));
        }
        std::string out;
        query::append_scalar(out, value.scalar());
        return out;
    }

    const schema::ClassSchema& class_;
};

} // namespace

Result<std::string> filter_text(mql::BsonDocumentView filter,
                                const schema::ClassSchema& class_schema) {
    return FilterPrinter(class_schema).filter(filter);
}

} // namespace tombolo::server::sync
