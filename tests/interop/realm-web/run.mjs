// Signs users in, links, refreshes, manages keys and deletes, all through the published realm-web package, against a tombolod that
// this program starts on a free loopback port with a data folder of its own.
//
//     node tests/interop/realm-web/run.mjs --tombolod build/release/bin/tombolod --modules build/node/node_modules
//
// Ends with the counts; exits with 1 when a check failed, with 2 when it could not run.

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { documentCases } from "./document_cases.mjs";
import { emailCases } from "./email_cases.mjs";
import { functionCases } from "./function_cases.mjs";
import { Checks, Server, Storage } from "./harness.mjs";
import { KeySetServer } from "./jwt.mjs";
import { keyCases } from "./key_cases.mjs";
import { sessionCases } from "./session_cases.mjs";
import { keySetCases, tokenCases } from "./token_cases.mjs";

const here = dirname(fileURLToPath(import.meta.url));

function parseArguments(argv) {
    const parsed = {};
    for (let i = 0; i + 1 < argv.length; i += 2) {
        parsed[argv[i].replace(/^--/, "")] = argv[i + 1];
    }
    if (!parsed.tombolod || !parsed.modules) {
        console.error("usage: run.mjs --tombolod TOMBOLOD --modules NODE_MODULES");
        process.exit(2);
    }
    return parsed;
}

function loadClient(modules) {
    const folder = join(resolve(modules), "realm-web");
    if (!existsSync(folder)) {
        console.error(`realm-web is not installed in ${modules}; scripts/test installs it, or npm install with ${join(here, "package.json")}`);
        process.exit(2);
    }
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const wanted = JSON.parse(readFileSync(join(here, "package.json"), "utf8")).dependencies["realm-web"];
    if (manifest.version !== wanted) {
        console.error(`realm-web ${manifest.version} is installed, ${wanted} is needed`);
        process.exit(2);
    }
    return createRequire(import.meta.url)(folder);
}

const { tombolod, modules } = parseArguments(process.argv.slice(2));
const realm = loadClient(modules);
const checks = new Checks();
const keySets = new KeySetServer();
const server = new Server(resolve(tombolod), here);

const context = {
    checks, server, keySets, realm,
    Credentials: realm.Credentials,
    // A client as if on a device of its own. requests: [method, path, status] of what it sends, in order.
    client(id = "interop-abcde", requests = []) {
        const recording = async (url, options) => {
            const response = await fetch(url, options);
            requests.push([options?.method ?? "GET", new URL(url).pathname, response.status]);
            return response;
        };
        return new realm.App({ id, baseUrl: server.url, fetch: recording, storage: new Storage() });
    },
};

let names = 0;
context.newAddress = () => `user-${++names}@example.com`;

try {
    await keySets.start();
    server.addKeySetApp("interop-rs", "RS256", `${keySets.url}/rs`);
    server.addKeySetApp("interop-es", "ES256", `${keySets.url}/es`);
    await server.start();
    await sessionCases(context);
    await emailCases(context);
    await keyCases(context);
    await tokenCases(context);
    await keySetCases(context);
    await functionCases(context);
    await documentCases(context);
    await checks.check("the server stops cleanly", async () => {
        const code = await server.stop();
        if (code !== 0) {
            throw new Error(`exit code ${code}`);
        }
    });
} catch (error) {
    console.error(error);
    process.exitCode = 2;
    server.child?.kill("SIGKILL");
} finally {
    keySets.stop();
    server.remove();
}
console.log(`realm-web interop: ${checks.passed} passed, ${checks.failed} failed`);
if (checks.failed > 0) {
    process.exitCode = 1;
}
