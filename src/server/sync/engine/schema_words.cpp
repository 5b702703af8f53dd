#include "server/sync/engine/schema_words.hpp"

#include "schema/object_schema.hpp"
#include "schema/problem.hpp"

namespace tombolo::server::sync {

namespace {

constexpr std::size_t words_max = 2000;

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool names(std::string_view text, std::string_view word) {
    for (std::size_t at = text.find(word); at != std::string_view::npos;
         at = text.find(word, at + 1)) {
        const std::size_t end = at + word.size();
        if ((at == 0 || !is_letter(text[at - 1])) &&
            (end == text.size() || !is_letter(text[end]))) {
            return true;
        }
    }
    return false;
}

std::string definition(const schema::ClassSchema& of) {
    std::string out = "class \"" + of.name() + "\" is {";
    const char* separator = "";
    for (const schema::Property& property : of.properties()) {
        out += separator + property.name + ": " + schema::type_text(property);
        separator = ", ";
    }
    return out + "}";
}

} // namespace

std::string schema_difference(const Model& model, std::string_view client_message) {
    std::string out = "Invalid schema change: the device refuses the server's schema, also with a "
                      "new file: " +
                      std::string(client_message.substr(0, words_max));

    for (const schema::ClassSchema& each : model.schema().classes()) {
        if (names(client_message, each.name()) && out.size() < words_max) {
            out += "; on the server " + definition(each);
        }
    }
    return out + "; make the app's model agree with the server's schema";
}

} // namespace tombolo::server::sync
