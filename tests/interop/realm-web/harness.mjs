// A real tombolod in a folder of its own, and the bookkeeping of checks.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export class Checks {
    passed = 0;
    failed = 0;

    // Runs one check; a failure is printed and the others go on.
    async check(name, run) {
        try {
            await run();
            ++this.passed;
        } catch (error) {
            ++this.failed;
            console.error(`FAILED ${name}\n    ${String(error?.stack ?? error).split("\n").slice(0, 12).join("\n    ")}`);
        }
    }
}

// The call must fail with this status, error text and error code.
export async function fails(call, status, text, code) {
    let error;
    try {
        await call();
    } catch (thrown) {
        error = thrown;
    }
    assert.ok(error, "the call should have failed");
    assert.equal(error.statusCode, status, String(error));
    if (text instanceof RegExp) {
        assert.match(error.error, text);
    } else {
        assert.equal(error.error, text);
    }
    assert.equal(error.errorCode, code);
    return error;
}

async function freePort() {
    const probe = createServer();
    await new Promise((done) => probe.listen(0, "127.0.0.1", done));
    const { port } = probe.address();
    await new Promise((done) => probe.close(done));
    return port;
}

// Copies an app directory with its %PLACEHOLDERS% filled in.
function fillTemplate(from, to, values) {
    cpSync(from, to, { recursive: true });
    for (const name of ["root_config.json", "auth/providers.json"]) {
        let text = readFileSync(join(to, name), "utf8");
        for (const [key, value] of Object.entries(values)) {
            text = text.replaceAll(`%${key}%`, value);
        }
        writeFileSync(join(to, name), text);
    }
}

export class Server {
    constructor(program, fixtures) {
        this.program = program;
        this.folder = mkdtempSync(join(tmpdir(), "tombolo-interop-"));
        this.data = join(this.folder, "data");
        this.log = join(this.folder, "tombolod.log");
        this.apps = [join(fixtures, "app"), join(fixtures, "app-confirm"), join(fixtures, "app-functions"), join(fixtures, "app-documents")];
        this.template = join(fixtures, "app-key-set");
        this.options = [];
        mkdirSync(this.data);
    }

    addKeySetApp(name, algorithm, url) {
        const folder = join(this.folder, name);
        fillTemplate(this.template, folder, { NAME: name, ALGORITHM: algorithm, URL: url });
        this.apps.push(folder);
    }

    async start() {
        this.port ??= await freePort();
        this.url = `http://127.0.0.1:${this.port}`;
        const options = [
            "--data", this.data, "--listen", `127.0.0.1:${this.port}`, "--requests-per-minute", "0",
            "--allow-private-key-set-urls", "--log-file", this.log, "--log-level", "debug",
            "--function-seconds", "5", "--function-megabytes", "64",
        ];
        for (const app of this.apps) {
            options.push("--app", app);
        }
        options.push(...this.options);
        const child = spawn(this.program, options, { stdio: ["ignore", "pipe", "pipe"] });
        this.child = child;
        let output = "";
        this.ended = new Promise((done) => child.on("close", done));
        await new Promise((resolve, reject) => {
            const read = (chunk) => {
                output += chunk;
                if (output.includes("tombolod listens on")) {
                    resolve();
                }
            };
            child.stdout.on("data", read);
            child.stderr.on("data", read);
            child.on("error", reject);
            child.on("close", (code) => reject(new Error(`tombolod ended with ${code}: ${output}`)));
        });
    }

    // The exit code.
    async stop() {
        this.child.kill("SIGTERM");
        return this.ended;
    }

    async restart() {
        assert.equal(await this.stop(), 0);
        await this.start();
    }

    remove() {
        rmSync(this.folder, { recursive: true, force: true });
    }

    logText() {
        return readFileSync(this.log, "utf8");
    }

    // The newest mail to an address: { subject, link, token, tokenId }. Mail is written behind the answer, so this waits for it.
    async mail(address, count = 1) {
        const folder = join(this.data, "outbox");
        for (;;) {
            const found = (existsSync(folder) ? readdirSync(folder) : [])
                .filter((name) => name.endsWith(".eml"))
                .map((name) => readFileSync(join(folder, name), "utf8"))
                .filter((text) => text.includes(`\r\nTo: ${address}\r\n`));
            if (found.length >= count) {
                return found.map(parseMail);
            }
            await new Promise((done) => setTimeout(done, 20));
        }
    }
}

function parseMail(text) {
    const link = /https?:\/\/\S+/.exec(text)[0];
    const query = new URL(link).searchParams;
    return {
        subject: /\r\nSubject: (.*)\r\n/.exec(text)[1],
        link,
        token: query.get("token"),
        tokenId: query.get("tokenId"),
    };
}

// What the client keeps between starts. Each client gets its own; the package would share one between all.
export class Storage {
    constructor(values = new Map(), part = "") {
        this.values = values;
        this.part = part;
    }
    get(key) {
        return this.values.get(this.part + key) ?? null;
    }
    set(key, value) {
        this.values.set(this.part + key, value);
    }
    remove(key) {
        this.values.delete(this.part + key);
    }
    prefix(part) {
        return new Storage(this.values, `${this.part}${part}:`);
    }
    clear(prefix = "") {
        for (const key of [...this.values.keys()]) {
            if (key.startsWith(this.part + prefix)) {
                this.values.delete(key);
            }
        }
    }
    addListener() {}
    removeListener() {}
}
