// A server in little, to be killed by a test: calls a function that writes its process id on
// standard output by way of a service request, and then loops for ever.

#include <cstdio>

#include "server/functions/functions_fixture.hpp"

int main() {
    using namespace tombolo::functions;
    Fixture fixture;
    Seams seams;
    seams.service = [](const ServiceRequest& request) -> tombolo::Result<std::string> {
        std::printf("%s\n", request.action.c_str());
        std::fflush(stdout);
        return std::string("null");
    };
    fixture.functions().connect(seams);
    const auto app = fixture.deploy(
        app_of({{"f", "exports = async () => { const c = context.services.get('s').db('d')"
                      ".collection('c'); await c.run(String(process.pid), {}); for (;;); };"}}));
    return fixture.call(app, "f").ok() ? 0 : 1;
}
