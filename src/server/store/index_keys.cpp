#include "server/store/index_keys.hpp"

#include <algorithm>

#include "server/store/value_key.hpp"

namespace tombolo::store {

namespace {

using mql::BsonDocumentView;
using mql::BsonView;

// The values at a path. `arrays` tells whether an array was met on the way or at the end.
void collect(BsonDocumentView document, std::string_view path, std::vector<BsonView>& values,
             bool& arrays) {
    const std::size_t dot = path.find('.');
    const BsonView value = document.find(path.substr(0, dot));
    if (dot == std::string_view::npos) {
        if (!value.is_array()) {
            values.push_back(value);
            return;
        }
        arrays = true;
        bool any = false;
        for (const mql::BsonElement& element : value.as_document()) {
            values.push_back(element.value);
            any = true;
        }
        if (!any) {
            values.push_back(BsonView::null());
        }
        return;
    }
    const std::string_view rest = path.substr(dot + 1);
    if (value.is_document()) {
        collect(value.as_document(), rest, values, arrays);
    } else if (value.is_array()) {
        arrays = true;
        for (const mql::BsonElement& element : value.as_document()) {
            if (element.value.is_document()) {
                collect(element.value.as_document(), rest, values, arrays);
            }
        }
        if (values.empty()) {
            values.push_back(BsonView::null());
        }
    } else {
        values.push_back(BsonView::null());
    }
}

Error too_large(const IndexSpec& spec, const std::string& what) {
    return Error(ErrorCode::limit_exceeded,
                 "index '" + spec.name + "' cannot hold this document: " + what);
}

} // namespace

Result<std::vector<std::string>> index_keys(const IndexSpec& spec, BsonDocumentView document) {
    std::vector<std::string> keys(1);
    std::vector<BsonView> values;
    bool array_met = false;
    for (const IndexField& field : spec.fields) {
        values.clear();
        bool arrays = false;
        collect(document, field.path, values, arrays);
        if (arrays && array_met) {
            return Error(ErrorCode::invalid_argument,
                         "index '" + spec.name +
                             "' cannot index parallel arrays: only one of its fields may be an "
                             "array in a document, '" +
                             field.path + "' is a second one");
        }
        array_met = array_met || arrays;
        if (values.size() > limits::index_entries_max) {
            return too_large(spec, "more than " + std::to_string(limits::index_entries_max) +
                                       " array elements");
        }
        if (values.size() == 1) {
            for (std::string& key : keys) {
                append_value_key(key, values.front());
            }
            continue;
        }
        std::vector<std::string> longer;
        longer.reserve(values.size() * keys.size());
        for (const std::string& key : keys) {
            for (const BsonView& value : values) {
                append_value_key(longer.emplace_back(key), value);
            }
        }
        keys = std::move(longer);
    }
    for (const std::string& key : keys) {
        if (key.size() > limits::index_key_bytes_max) {
            return too_large(spec, "an entry of more than " +
                                       std::to_string(limits::index_key_bytes_max) + " bytes");
        }
    }
    if (keys.size() > 1) {
        std::sort(keys.begin(), keys.end());
        keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    }
    return keys;
}

Result<void> check_index_spec(const IndexSpec& spec) {
    const auto refuse = [&](const std::string& why) {
        return Error(ErrorCode::invalid_argument, "index '" + spec.name + "': " + why);
    };
    if (spec.name.empty() || spec.name.size() > limits::index_name_bytes_max) {
        return refuse("a name of 1 to " + std::to_string(limits::index_name_bytes_max) +
                      " bytes is required");
    }
    if (spec.fields.empty() || spec.fields.size() > limits::index_fields_max) {
        return refuse("1 to " + std::to_string(limits::index_fields_max) + " fields are required");
    }
    for (const IndexField& field : spec.fields) {
        const std::string& path = field.path;
        if (path.empty() || path.front() == '.' || path.back() == '.' ||
            path.find("..") != std::string::npos || path.find('\0') != std::string::npos) {
            return refuse("'" + path + "' is not a field path");
        }
        const auto same = std::count(spec.fields.begin(), spec.fields.end(), field);
        if (same > 1) {
            return refuse("field '" + path + "' is named twice");
        }
    }
    return {};
}

} // namespace tombolo::store
