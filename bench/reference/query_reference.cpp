#include "query_reference.hpp"

#include <cstdio>
#include <cstring>
#include <string>

#include <bson/bson.h>

namespace tombolo::bench {

Documents make_documents(std::size_t count) {
    static const char* statuses[] = {"open", "done", "blocked", "open", "waiting"};
    static const char* tags[] = {"red", "green", "blue", "home", "work", "urgent"};
    Documents out;
    out.offsets.push_back(0);
    std::uint64_t state = 42;
    for (std::size_t i = 0; i < count; ++i) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        const std::uint64_t random = state >> 33;
        bson_t document = BSON_INITIALIZER;
        bson_oid_t id;
        bson_oid_init_from_string(&id, "64b0c1d2e3f4a5b6c7d8e9f0");
        std::memcpy(id.bytes + 4, &i, 8);
        BSON_APPEND_OID(&document, "_id", &id);
        const std::string owner = "user-" + std::to_string(random % 5000);
        BSON_APPEND_UTF8(&document, "owner_id", owner.c_str());
        const std::string title = "Task number " + std::to_string(i) + " of the list";
        BSON_APPEND_UTF8(&document, "title", title.c_str());
        BSON_APPEND_UTF8(&document, "status", statuses[random % 5]);
        BSON_APPEND_INT64(&document, "priority", static_cast<std::int64_t>(random / 5 % 8));
        BSON_APPEND_BOOL(&document, "done", random % 2 == 0);
        BSON_APPEND_DATE_TIME(&document, "created", static_cast<std::int64_t>(random) * 1000);
        bson_t array;
        BSON_APPEND_ARRAY_BEGIN(&document, "tags", &array);
        for (std::size_t t = 0; t < random / 40 % 4; ++t) {
            const std::string key = std::to_string(t);
            BSON_APPEND_UTF8(&array, key.c_str(), tags[(random / 160 + t) % 6]);
        }
        bson_append_array_end(&document, &array);
        const std::uint8_t* data = bson_get_data(&document);
        out.bytes.insert(out.bytes.end(), data, data + document.len);
        out.offsets.push_back(out.bytes.size());
        bson_destroy(&document);
    }
    return out;
}

bool reference_scalars(const std::uint8_t* data, std::size_t size) {
    bson_iter_t iter;
    if (!bson_iter_init_from_data(&iter, data, size)) {
        return false;
    }
    int found = 0;
    while (bson_iter_next(&iter)) {
        const char* key = bson_iter_key(&iter);
        if (std::strcmp(key, "status") == 0) {
            std::uint32_t length = 0;
            if (!BSON_ITER_HOLDS_UTF8(&iter)) {
                return false;
            }
            const char* value = bson_iter_utf8(&iter, &length);
            if (length != 4 || std::memcmp(value, "open", 4) != 0) {
                return false;
            }
            ++found;
        } else if (std::strcmp(key, "priority") == 0) {
            if (!BSON_ITER_HOLDS_INT(&iter) || bson_iter_as_int64(&iter) <= 3) {
                return false;
            }
            ++found;
        }
        if (found == 2) {
            return true;
        }
    }
    return false;
}

bool reference_list(const std::uint8_t* data, std::size_t size) {
    bson_iter_t iter;
    if (!bson_iter_init_from_data(&iter, data, size)) {
        return false;
    }
    int found = 0;
    while (bson_iter_next(&iter)) {
        const char* key = bson_iter_key(&iter);
        if (std::strcmp(key, "tags") == 0) {
            bson_iter_t element;
            bool any = false;
            if (!BSON_ITER_HOLDS_ARRAY(&iter) || !bson_iter_recurse(&iter, &element)) {
                return false;
            }
            while (!any && bson_iter_next(&element)) {
                std::uint32_t length = 0;
                const char* value =
                    BSON_ITER_HOLDS_UTF8(&element) ? bson_iter_utf8(&element, &length) : nullptr;
                any = value && length == 3 && std::memcmp(value, "red", 3) == 0;
            }
            if (!any) {
                return false;
            }
            ++found;
        } else if (std::strcmp(key, "priority") == 0) {
            if (!BSON_ITER_HOLDS_INT(&iter) || bson_iter_as_int64(&iter) <= 3) {
                return false;
            }
            ++found;
        }
        if (found == 2) {
            return true;
        }
    }
    return false;
}

} // namespace tombolo::bench
