// A worker: runs one function of one app at a time. Talks to the server in frames (frame.hpp) over descriptor 3.

const { Socket } = require("net");
const Module = require("module");
const vm = require("vm");
const { format } = require("util");

const kinds = { app: 1, run: 2, reply: 3, ping: 4, ready: 16, log: 17, service: 18, result: 19, failure: 20 };
const server = new Socket({ fd: 3, readable: true, writable: true });
let application = null; // from the app frame
let current = null; // the running call
let requestId = 0;
const waiting = new Map(); // request id -> {resolve, reject, call}

function send(kind, id, head, body = "") {
    const headBytes = Buffer.from(head === undefined ? "" : JSON.stringify(head));
    const bodyBytes = Buffer.from(body);
    const start = Buffer.alloc(13);
    start.writeUInt32LE(9 + headBytes.length + bodyBytes.length, 0);
    start.writeUInt8(kind, 4);
    start.writeUInt32LE(id, 5);
    start.writeUInt32LE(headBytes.length, 9);
    server.write(Buffer.concat([start, headBytes, bodyBytes]));
}

// Logs: the server has the last word on the limits; this keeps a talkative function from being ended for it.
function log(call, level, args) {
    if (call !== current || call.messages >= application.logMessagesMax) {
        return;
    }
    let text = format(...args);
    const left = application.logBytesMax - call.logBytes;
    if (left <= 0) {
        return;
    }
    if (text.length > left) {
        text = text.slice(0, left);
    }
    ++call.messages;
    call.logBytes += Buffer.byteLength(text);
    send(kinds.log, call.id, { level }, text);
}

function consoleOf(call) {
    const write = (level) => (...args) => log(call(), level, args);
    const info = write("info");
    const error = write("error");
    return { log: info, info, debug: info, dir: info, trace: info, warn: error, error, assert() {}, table: info, time() {}, timeEnd() {} };
}

// Libraries use the global console.
globalThis.console = consoleOf(() => current);

// What a function sets to happen later ends with its call.
for (const name of ["setTimeout", "setInterval", "setImmediate"]) {
    const real = globalThis[name];
    const clear = globalThis[name.replace("set", "clear")];
    globalThis[name] = function (run, ...rest) {
        const timer = real(run, ...rest);
        current?.timers.add(() => clear(timer));
        return timer;
    };
    Object.assign(globalThis[name], real);
}

const blocked = new Set(["child_process", "cluster", "inspector", "repl", "worker_threads"]);
const realLoad = Module._load;
Module._load = function (request, ...rest) {
    if (blocked.has(String(request).replace(/^node:/, ""))) {
        throw new Error(`module '${request}' is not available in functions`);
    }
    return realLoad.call(this, request, ...rest);
};
process.exit = () => {
    throw new Error("process.exit is not available in functions");
};

const parameters = ["exports", "module", "require", "context", "console", "BSON", "EJSON", "utils"];
const compiled = new Map(); // name -> function, without an app's state

function compile(name, source, evaluated) {
    const ending = evaluated === undefined || evaluated === ""
        ? "\n;return typeof exports === 'function' ? exports : module.exports;"
        : `\n;return (${evaluated}\n);`;
    try {
        return vm.compileFunction(source + ending, parameters, { filename: `${name}.js` });
    } catch (error) {
        let told = error;
        try {
            vm.compileFunction(source, parameters, { filename: `${name}.js` });
        } catch (own) {
            told = own; // about the source itself, not about what was put behind it
        }
        told.isCompileError = true;
        throw told;
    }
}

// The callable of a function, evaluated anew: its module-level variables live as long as the call.
function load(name, call, asSystem) {
    let body = call.sources?.[name] === undefined ? compiled.get(name) : undefined;
    if (body === undefined) {
        const source = call.sources?.[name] ?? application.functions[name]?.source;
        if (source === undefined) {
            throw new Error(`function not found: '${name}'`);
        }
        body = compile(name, source, call.sources?.[name] === undefined ? undefined : call.evaluated);
        if (call.sources?.[name] === undefined) {
            compiled.set(name, body);
        }
    }
    const system = asSystem ?? (application.functions[name]?.runAsSystem ? name : undefined);
    const module = { exports: {} };
    const result = body.call({}, module.exports, module, application.require, contextOf(call, system), consoleOf(() => call), BSON, EJSON, utils);
    if (call.sources?.[name] !== undefined && call.evaluated) {
        return () => result;
    }
    if (typeof result !== "function") {
        throw new TypeError(`function '${name}' exports no function: use exports = function(...) { ... }`);
    }
    return result;
}

// `system` names the function of this chain that runs as the system.
function contextOf(call, system) {
    const ask = (service, action, args) => new Promise((resolve, reject) => {
        if (call !== current) {
            reject(new Error("the call has ended"));
            return;
        }
        const id = ++requestId;
        waiting.set(id, { resolve, reject, call });
        send(kinds.service, id, { service, action, system }, stringifyEjson(args));
    });
    return {
        user: call.user,
        app: application.app,
        request: call.request,
        environment: { tag: application.environment.tag, values: structuredClone(application.environment.values) },
        runningAsSystem: () => call.system || system !== undefined,
        http: httpService,
        values: {
            get: (name) => Object.hasOwn(call.secrets, name) ? call.secrets[name] : clone(application.values[name]),
        },
        functions: {
            execute: (name, ...args) => load(String(name), call, system)(...args),
        },
        services: {
            get(name) {
                const service = String(name);
                if (service === "http" || application.httpServices.includes(service)) {
                    return httpService;
                }
                return { db: (database) => new Database(ask, service, database) };
            },
        },
    };
}

const clone = (value) => value === undefined ? undefined : structuredClone(value);

function describe(thrown) {
    if (thrown instanceof Error || (typeof thrown === "object" && thrown !== null && typeof thrown.message === "string")) {
        return { message: String(thrown.message), name: String(thrown.name ?? "Error"), stack: String(thrown.stack ?? "").slice(0, 8192) };
    }
    if (typeof thrown === "string") {
        return { message: thrown, name: "", stack: "" };
    }
    let message;
    try {
        message = stringifyEjson(thrown);
    } catch {
        message = String(thrown);
    }
    return { message, name: "", stack: "" };
}

function finish(call, kind, head, body) {
    if (call !== current) {
        return;
    }
    for (const end of call.timers) {
        end();
    }
    send(kind, call.id, head, body);
    current = null;
    for (const [id, request] of waiting) {
        if (request.call === call) {
            waiting.delete(id);
        }
    }
}

function fail(call, thrown) {
    const { message, name, stack } = describe(thrown);
    finish(call, kinds.failure, { kind: thrown?.isCompileError ? "syntax" : "thrown", name, stack }, message);
}

// The second argument of an HTTPS endpoint's function.
class Response {
    constructor() {
        this.status = null;
        this.headers = [];
        this.body = undefined;
    }
    setStatusCode(code) {
        const status = Number(code);
        if (!Number.isInteger(status) || status < 200 || status > 599) {
            throw new RangeError("a status code is a whole number from 200 to 599");
        }
        this.status = status;
    }
    setBody(body) {
        if (body instanceof Binary) {
            this.body = body.buffer;
        } else if (typeof body === "string" || body instanceof Uint8Array) {
            this.body = Buffer.from(body);
        } else {
            this.body = body === undefined || body === null ? undefined : Buffer.from(stringifyEjson(body));
        }
    }
    setHeader(name, value) {
        const lower = String(name).toLowerCase();
        this.headers = this.headers.filter(([other]) => other.toLowerCase() !== lower);
        this.addHeader(name, value);
    }
    addHeader(name, value) {
        this.headers.push([String(name), String(value)]);
    }
}

function answerOf(response, result, form) {
    const { status, headers } = response;
    let { body } = response;
    if (body === undefined && result !== undefined) {
        body = Buffer.from(form === "EJSON" ? stringifyEjson(result)
            : JSON.stringify(result, (key, value) => typeof value === "bigint" ? Number(value) : value) ?? "");
    }
    return { status, headers, body: body === undefined ? null : new Binary(body) };
}

async function invoke(head, call, args) {
    const callable = load(head.name, call);
    if (head.responseForm === undefined) {
        return callable(...args);
    }
    const response = new Response();
    return answerOf(response, await callable(args[0], response), head.responseForm);
}

async function run(id, head, body) {
    const call = {
        id, user: fromEjson(head.user), system: head.system, request: fromEjson(head.request), secrets: head.secrets, messages: 0, logBytes: 0,
        timers: new Set(), sources: head.source === undefined ? undefined : { [head.name]: head.source }, evaluated: head.evaluated,
    };
    current = call;
    try {
        if (head.compileOnly) {
            compile(head.name, head.source);
            finish(call, kinds.result, {}, "null");
            return;
        }
        const args = parseEjson(body);
        const result = stringifyEjson(await invoke(head, call, args));
        if (Buffer.byteLength(result) > application.resultBytesMax) {
            finish(call, kinds.failure, { kind: "output", name: "", stack: "" },
                `the result is longer than ${application.resultBytesMax} bytes`);
        } else {
            finish(call, kinds.result, {}, result);
        }
    } catch (error) {
        fail(call, error);
    }
}

function start(body) {
    application = JSON.parse(body);
    application.require = Module.createRequire(`${application.folder}/functions.js`);
    send(kinds.ready, 0, { version: process.version });
}

function reply(id, head, body) {
    const request = waiting.get(id);
    waiting.delete(id);
    if (request === undefined || request.call !== current) {
        return;
    }
    if (head.ok) {
        request.resolve(parseEjson(body));
        return;
    }
    const error = new Error(body);
    error.name = "MongoError";
    error.errorCode = head.code;
    if (head.code === "duplicate_key") {
        error.code = 11000;
    }
    request.reject(error);
}

function handle(kind, id, head, body) {
    if (kind === kinds.app) {
        start(body);
    } else if (kind === kinds.run) {
        run(id, JSON.parse(head), body);
    } else if (kind === kinds.reply) {
        reply(id, JSON.parse(head), body);
    } else if (kind === kinds.ping) {
        send(kinds.ready, id);
    }
}

let pending = [];
let pendingSize = 0;
server.on("data", (chunk) => {
    pending.push(chunk);
    pendingSize += chunk.length;
    while (pendingSize >= 13) {
        if (pending.length > 1 && pending[0].length < 4) {
            pending = [Buffer.concat(pending)];
        }
        const length = 4 + pending[0].readUInt32LE(0);
        if (pendingSize < length) {
            return;
        }
        const all = pending.length === 1 ? pending[0] : Buffer.concat(pending);
        const headEnd = 13 + all.readUInt32LE(9);
        const rest = all.subarray(length);
        pending = rest.length === 0 ? [] : [rest];
        pendingSize = rest.length;
        handle(all.readUInt8(4), all.readUInt32LE(5), all.toString("utf8", 13, headEnd), all.toString("utf8", headEnd, length));
    }
});
// The server is gone, or does not want this worker any more.
const leave = () => process.reallyExit(0);
server.on("end", leave);
server.on("close", leave);
server.on("error", leave);

process.on("uncaughtException", (error) => {
    if (current !== null) {
        fail(current, error);
    }
});
process.on("unhandledRejection", (error) => {
    if (current !== null) {
        log(current, "error", ["unhandled promise rejection:", error]);
    }
});
