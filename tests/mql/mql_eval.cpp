// Reads text-driven cases (case_runner.hpp) from standard input, one a line, and writes for each
// one line:
// {"name": .., "result": [documents]} or {"name": .., "error": message}, as canonical Extended
// JSON.

#include <iostream>
#include <string>

#include "mql/case_runner.hpp"

namespace {

using namespace tombolo;
using namespace tombolo::mql;

BsonDocument answer(const std::string& line) {
    BsonWriter writer;
    const auto parsed = test::from_json(line);
    if (!parsed) {
        writer.append_string("error", parsed.error().what());
        return std::move(writer).finish();
    }
    writer.append("name", parsed->view().find("name"));
    const auto results = test::run_case(parsed->view());
    if (!results) {
        writer.append_string("error", results.error().what());
        return std::move(writer).finish();
    }
    writer.begin_array("result");
    for (const BsonDocument& document : *results) {
        writer.append({}, document.view().as_value());
    }
    return std::move(writer).finish();
}

} // namespace

int main() {
    std::string line;
    while (std::getline(std::cin, line)) {
        if (!line.empty() && line[0] == '{') {
            std::cout << test::to_json(answer(line).view()) << '\n';
        }
    }
    return 0;
}
