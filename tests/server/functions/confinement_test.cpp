#include "server/functions/confinement.hpp"

#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

#include "server/functions/functions_fixture.hpp"

namespace tombolo::functions {

TEST(FunctionConfinement, nothing_of_the_servers_environment_is_there) {
    ASSERT_EQ(::setenv("TOMBOLO_SMTP_PASSWORD", "do not leak", 1), 0);
    Fixture fixture;
    const Outcome outcome = fixture.run("exports = () => Object.keys(process.env).sort();");
    EXPECT_EQ(outcome.result, R"(["HOME","LANG","NODE_ENV","PATH"])");
    ::unsetenv("TOMBOLO_SMTP_PASSWORD");
}

TEST(FunctionConfinement, no_descriptor_of_the_server_is_there) {
    Fixture fixture;
    // Node.js' own begin with 4; none of them is a file of the store.
    const Outcome outcome =
        fixture.run("exports = () => { const fs = require('fs'); const found = [];"
                    " for (let i = 3; i < 200; ++i) { try { if (fs.fstatSync(i).isFile()) "
                    "found.push(i); } catch {} } return found; };");
    EXPECT_EQ(outcome.result, "[]");
}

TEST(FunctionConfinement, files_of_the_server_cannot_be_read_or_written) {
    if (!has_landlock()) {
        GTEST_SKIP() << "this kernel has no Landlock";
    }
    Fixture fixture;
    std::ofstream(fixture.folder() + "/master.key") << "secret";
    const std::string source =
        "exports = (path) => { const fs = require('fs'); const out = [];"
        " for (const use of [() => fs.readFileSync(path), () => fs.writeFileSync(path, 'x'),"
        " () => fs.readFileSync('/proc/' + process.ppid + '/environ'),"
        " () => fs.writeFileSync('/tmp/tombolo-confinement', 'x'),"
        " () => fs.readdirSync('/etc')]) {"
        " try { use(); out.push('done'); } catch (error) { out.push(error.code); } } return out; "
        "};";
    EXPECT_EQ(fixture.run(source, "[\"" + fixture.folder() + "/master.key\"]").result,
              R"(["EACCES","EACCES","EACCES","EACCES","EACCES"])");
}

TEST(FunctionConfinement, other_processes_cannot_be_signalled_or_started) {
    Fixture fixture;
    EXPECT_EQ(
        fixture
            .run("exports = () => { const out = []; try { process.kill(process.ppid, 'SIGTERM'); }"
                 " catch (error) { out.push(error.code); }"
                 " const { Process } = process.binding('process_wrap');"
                 " const child = new Process();"
                 " out.push(child.spawn({file: '/bin/true', args: ['/bin/true'], stdio: []}) < 0);"
                 " try { require('os').setPriority(process.ppid, 10); } catch (error) {"
                 " out.push(error.info?.code ?? error.code); } return out; };")
            .result,
        R"(["EPERM",true,"EPERM"])");
}

} // namespace tombolo::functions
