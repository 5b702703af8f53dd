#include "mql/case_runner.hpp"

#include "mql/bson_compare.hpp"
#include "mql/case_operations.hpp"

namespace tombolo::mql::test {

namespace {

std::string text_of(BsonDocumentView document, std::string_view key) {
    const BsonView value = document.find(key);
    return value.is_string() ? std::string(value.as_string()) : std::string();
}

// Documents as expected, or their _id when the expectation lists those.
std::string compare_results(const std::vector<BsonDocument>& results, BsonDocumentView expected) {
    std::size_t index = 0;
    for (const BsonElement& element : expected) {
        if (index >= results.size()) {
            return "missing result " + to_json(element.value);
        }
        const BsonDocumentView result = results[index].view();
        const BsonView found = element.value.is_document() ? result.as_value() : result.find("_id");
        if (!identical(found, element.value)) {
            return "result " + std::to_string(index) + " is " + to_json(found) + ", expected " +
                   to_json(element.value);
        }
        ++index;
    }
    if (index < results.size()) {
        return "unexpected result " + to_json(results[index].view().as_value());
    }
    return {};
}

} // namespace

Result<std::vector<BsonDocument>> run_case(BsonDocumentView test_case) {
    const BsonView docs = test_case.find("docs");
    const BsonView spec = test_case.find("spec");
    const BsonView options = test_case.find("options");
    CaseInput input;
    if (docs.is_array()) {
        for (const BsonElement& element : docs.as_document()) {
            if (element.value.is_document()) {
                input.docs.push_back(element.value.as_document());
            }
        }
    }
    input.spec = spec;
    if (options.is_document()) {
        input.options = options.as_document();
    }
    return run_operation(text_of(test_case, "kind"), input);
}

std::string check_case(BsonDocumentView test_case) {
    const BsonView expected = test_case.find("expect");
    const auto results = run_case(test_case);
    if (expected.is_document()) {
        const std::string wanted = text_of(expected.as_document(), "error");
        if (results) {
            return "succeeded, expected the error \"" + wanted + "\"";
        }
        const std::string message = results.error().what();
        return message.find(wanted) == std::string::npos
                   ? "failed with \"" + message + "\", expected \"" + wanted + "\""
                   : std::string();
    }
    if (!results) {
        return std::string("failed: ") + results.error().what();
    }
    return expected.is_array() ? compare_results(*results, expected.as_document())
                               : "the case has no expect";
}

} // namespace tombolo::mql::test
