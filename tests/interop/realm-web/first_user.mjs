// The first hour of an app: a new user signs up through the published realm-web package, writes and reads documents under rules,
// and an administrator sees both in `tombolo logs tail`.
//
//     node tests/interop/realm-web/first_user.mjs --tombolod TOMBOLOD --tombolo TOMBOLO --modules build/node/node_modules
//
// Ends with 0 when all of it was seen, with 1 when something was not, with 2 when it could not run.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { fails, Server, Storage } from "./harness.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const appId = "interop-first-user-abcde";
const administrator = { name: "admin@example.com", password: "a long enough password" };

function parseArguments(argv) {
    const parsed = {};
    for (let i = 0; i + 1 < argv.length; i += 2) {
        parsed[argv[i].replace(/^--/, "")] = resolve(argv[i + 1]);
    }
    if (!parsed.tombolod || !parsed.tombolo || !parsed.modules) {
        console.error("usage: first_user.mjs --tombolod TOMBOLOD --tombolo TOMBOLO --modules NODE_MODULES");
        process.exit(2);
    }
    return parsed;
}

// `tombolo logs tail --json`, entry by entry.
class Tail {
    constructor(program, url, home) {
        this.entries = [];
        this.waiting = [];
        this.errors = "";
        this.child = spawn(program, ["logs", "tail", "--json", "--app", appId], {
            stdio: ["ignore", "pipe", "pipe"],
            env: {
                PATH: process.env.PATH, XDG_CONFIG_HOME: home, HOME: home, TOMBOLO_URL: url,
                TOMBOLO_USERNAME: administrator.name, TOMBOLO_PASSWORD: administrator.password,
            },
        });
        let text = "";
        this.child.stdout.on("data", (chunk) => {
            text += chunk;
            const lines = text.split("\n");
            text = lines.pop();
            for (const line of lines.filter((each) => each !== "")) {
                this.entries.push(JSON.parse(line));
            }
            this.waiting.splice(0).forEach((wake) => wake());
        });
        this.child.stderr.on("data", (chunk) => { this.errors += chunk; });
        this.ended = new Promise((done) => this.child.on("close", (code) => {
            this.over = true;
            this.waiting.splice(0).forEach((wake) => wake());
            done(code);
        }));
    }

    // The first entry that fits, as soon as it is there.
    async until(what, fits) {
        for (;;) {
            const found = this.entries.find(fits);
            if (found) {
                return found;
            }
            assert.ok(!this.over, `tombolo logs tail ended before it showed ${what}: ${this.errors}`);
            await new Promise((wake) => this.waiting.push(wake));
        }
    }

    async stop() {
        this.child.kill("SIGINT");
        return this.ended;
    }
}

const { tombolod, tombolo, modules } = parseArguments(process.argv.slice(2));
const realm = createRequire(import.meta.url)(join(modules, "realm-web"));
const server = new Server(tombolod, here);
server.apps = [join(here, "app-first-user")];
server.options = ["--admin-user", administrator.name, "--admin-password", administrator.password];

try {
    await server.start();
    const tail = new Tail(tombolo, server.url, server.folder);
    const app = (id) => new realm.App({ id: appId, baseUrl: server.url, fetch, storage: new Storage(new Map(), id) });
    const signUp = async (email) => {
        const client = app(email);
        await client.emailPasswordAuth.registerUser({ email, password: "password of a user" });
        return client.logIn(realm.Credentials.emailPassword(email, "password of a user"));
    };

    const ada = await signUp("ada@example.com");
    const bob = await signUp("bob@example.com");
    const notes = (user) => user.mongoClient("mongodb-atlas").db("app").collection("notes");
    const { insertedId } = await notes(ada).insertOne({ owner: ada.id, text: "mine", shared: false });
    assert.equal((await notes(ada).findOne({ _id: insertedId })).text, "mine");
    assert.equal(await notes(bob).findOne({ _id: insertedId }), null);
    await fails(() => notes(bob).insertOne({ owner: ada.id, text: "not mine" }), 403, "insert not permitted", "NoMatchingRuleFound");
    await notes(ada).updateOne({ _id: insertedId }, { $set: { shared: true } });
    const seen = await notes(bob).findOne({ _id: insertedId });
    assert.equal(seen.text, "mine");
    assert.equal(seen.shared, undefined); // a field that visitors do not see

    const event = (entry, type) => entry.type === "AUTH" && entry.auth_event?.type === type && entry.auth_event?.provider === "local-userpass";
    await tail.until("the registration", (entry) => event(entry, "register") && !entry.auth_event.failed);
    await tail.until("the sign-in", (entry) => event(entry, "login") && entry.user_id === ada.id);
    const call = (name, user) => (entry) => entry.type === "SERVICE_FUNCTION" && entry.service_action === name && entry.user_id === user.id;
    await tail.until("the write", call("insertOne", ada));
    await tail.until("the read", call("findOne", ada));
    const refused = await tail.until("the refused write", call("insertOne", bob));
    assert.match(refused.error, /not permitted/);
    assert.equal(await tail.stop(), 0);
    assert.equal(await server.stop(), 0);
    console.log("a new user signed up, wrote and read under rules, and the administrator saw it");
} catch (error) {
    console.error(error);
    process.exitCode = 1;
    server.child?.kill("SIGKILL");
} finally {
    server.remove();
}
