// What a function's `context` offers beside plain data: data sources, HTTP, and the global `utils`.

class Cursor {
    constructor(collection, query, project) {
        this.collection = collection;
        this.args = { query, project };
        this.skipped = 0;
    }
    sort(sort) {
        this.args.sort = sort;
        return this;
    }
    limit(limit) {
        this.args.limit = Number(limit);
        return this;
    }
    skip(count) {
        this.skipped = Number(count);
        return this;
    }
    projection(project) {
        this.args.project = project;
        return this;
    }
    async toArray() {
        if (this.skipped === 0) {
            return this.collection.run("find", this.args);
        }
        const limit = this.args.limit > 0 ? this.args.limit + this.skipped : undefined;
        return (await this.collection.run("find", { ...this.args, limit })).slice(this.skipped);
    }
    async next() {
        this.fetched ??= await this.toArray();
        return this.fetched.shift() ?? null;
    }
    async hasNext() {
        this.fetched ??= await this.toArray();
        return this.fetched.length > 0;
    }
    async forEach(visit) {
        for (const document of await this.toArray()) {
            await visit(document);
        }
    }
    async map(change) {
        return (await this.toArray()).map(change);
    }
    async *[Symbol.asyncIterator]() {
        yield* await this.toArray();
    }
    // Awaiting a cursor by mistake gives its documents.
    then(resolve, reject) {
        return this.toArray().then(resolve, reject);
    }
}

class PipelineCursor extends Cursor {
    constructor(collection, pipeline) {
        super(collection);
        this.pipeline = [...pipeline];
    }
    sort(sort) {
        this.pipeline.push({ $sort: sort });
        return this;
    }
    limit(limit) {
        this.pipeline.push({ $limit: Number(limit) });
        return this;
    }
    skip(count) {
        this.pipeline.push({ $skip: Number(count) });
        return this;
    }
    projection(project) {
        this.pipeline.push({ $project: project });
        return this;
    }
    async toArray() {
        return this.collection.run("aggregate", { pipeline: this.pipeline });
    }
}

class Collection {
    constructor(send, service, database, name) {
        this.run = (action, args) => send(service, action, { database, collection: name, ...args });
        this.name = name;
    }
    find(query = {}, project) {
        return new Cursor(this, query, project);
    }
    findOne(query = {}, project, options = {}) {
        return this.run("findOne", { query, project, ...options });
    }
    findOneAndUpdate(filter, update, options = {}) {
        return this.run("findOneAndUpdate", { filter, update, ...findOptions(options) });
    }
    findOneAndReplace(filter, update, options = {}) {
        return this.run("findOneAndReplace", { filter, update, ...findOptions(options) });
    }
    findOneAndDelete(filter, options = {}) {
        return this.run("findOneAndDelete", { filter, ...findOptions(options) });
    }
    insertOne(document) {
        return this.run("insertOne", { document });
    }
    insertMany(documents) {
        return this.run("insertMany", { documents });
    }
    updateOne(query, update, options = {}) {
        return this.run("updateOne", { query, update, ...options });
    }
    updateMany(query, update, options = {}) {
        return this.run("updateMany", { query, update, ...options });
    }
    replaceOne(query, update, options = {}) {
        return this.run("updateOne", { query, update, ...options });
    }
    deleteOne(query) {
        return this.run("deleteOne", { query });
    }
    deleteMany(query) {
        return this.run("deleteMany", { query });
    }
    count(query = {}, options = {}) {
        return this.run("count", { query, ...options });
    }
    countDocuments(query = {}, options = {}) {
        return this.count(query, options);
    }
    aggregate(pipeline = []) {
        return new PipelineCursor(this, pipeline);
    }
    async distinct(field, query = {}) {
        const groups = await this.run("aggregate", {
            pipeline: [{ $match: query }, { $unwind: { path: `$${field}`, preserveNullAndEmptyArrays: false } }, { $group: { _id: `$${field}` } }],
        });
        return groups.map((group) => group._id);
    }
    async bulkWrite(operations) {
        const sum = { insertedCount: 0, matchedCount: 0, modifiedCount: 0, deletedCount: 0, upsertedCount: 0, insertedIds: {}, upsertedIds: {} };
        for (const [at, operation] of operations.entries()) {
            const [[kind, args]] = Object.entries(operation);
            if (kind === "insertOne") {
                sum.insertedIds[at] = (await this.insertOne(args.document)).insertedId;
                ++sum.insertedCount;
            } else if (kind === "deleteOne" || kind === "deleteMany") {
                sum.deletedCount += (await this[kind](args.filter)).deletedCount;
            } else if (kind === "updateOne" || kind === "updateMany" || kind === "replaceOne") {
                const { filter, update, replacement, ...options } = args;
                const result = await this[kind](filter, update ?? replacement, options);
                sum.matchedCount += result.matchedCount;
                sum.modifiedCount += result.modifiedCount;
                if (result.upsertedId !== undefined) {
                    sum.upsertedIds[at] = result.upsertedId;
                    ++sum.upsertedCount;
                }
            } else {
                throw new TypeError(`bulkWrite has no operation '${kind}'`);
            }
        }
        return sum;
    }
}

// The names of the function API to those of the wire.
function findOptions({ projection, project, sort, upsert, returnNewDocument, returnDocument }) {
    return {
        projection: projection ?? project, sort, upsert,
        returnNewDocument: returnNewDocument ?? (returnDocument === undefined ? undefined : returnDocument === "after"),
    };
}

class Database {
    constructor(send, service, name) {
        this.collection = (collection) => new Collection(send, service, name, collection);
        this.getCollection = this.collection;
        this.name = name;
    }
}

const responseBytesMax = 16 * 1024 * 1024;

function urlOf({ url, scheme = "https", host, path = "", query, fragment }) {
    const full = new URL(url ?? `${scheme}://${host}${path.startsWith("/") || path === "" ? "" : "/"}${path}`);
    for (const [key, values] of Object.entries(query ?? {})) {
        for (const value of Array.isArray(values) ? values : [values]) {
            full.searchParams.append(key, String(value));
        }
    }
    if (fragment !== undefined) {
        full.hash = fragment;
    }
    return full;
}

function bodyOf(options, headers) {
    if (options.form !== undefined) {
        headers.set("Content-Type", "application/x-www-form-urlencoded");
        return new URLSearchParams(options.form).toString();
    }
    const { body } = options;
    if (body === undefined || body === null) {
        return undefined;
    }
    if (options.encodeBodyAsJSON) {
        if (!headers.has("Content-Type")) {
            headers.set("Content-Type", "application/json");
        }
        return JSON.stringify(body);
    }
    return body instanceof Binary ? body.buffer : body;
}

async function httpRequest(method, options) {
    const given = typeof options === "string" ? { url: options } : options ?? {};
    const headers = new Headers();
    for (const [name, values] of Object.entries(given.headers ?? {})) {
        for (const value of Array.isArray(values) ? values : [values]) {
            headers.append(name, String(value));
        }
    }
    for (const [name, value] of Object.entries(given.cookies ?? {})) {
        headers.append("Cookie", `${name}=${value?.value ?? value}`);
    }
    const body = bodyOf(given, headers);
    const response = await fetch(urlOf(given), {
        method, headers, body, redirect: given.followRedirects ? "follow" : "manual",
    });
    const parts = [];
    let size = 0;
    for await (const part of response.body ?? []) {
        size += part.length;
        if (size > responseBytesMax) {
            throw new RangeError(`the response is longer than ${responseBytesMax} bytes`);
        }
        parts.push(part);
    }
    const all = {};
    for (const [name, value] of response.headers) {
        const canonical = name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
        (all[canonical] ??= []).push(value);
    }
    return {
        status: `${response.status} ${response.statusText}`.trim(), statusCode: response.status, contentLength: size,
        headers: all, cookies: {}, body: new Binary(Buffer.concat(parts)),
    };
}

const httpService = Object.freeze({
    get: (options) => httpRequest("GET", options),
    post: (options) => httpRequest("POST", options),
    put: (options) => httpRequest("PUT", options),
    patch: (options) => httpRequest("PATCH", options),
    delete: (options) => httpRequest("DELETE", options),
    head: (options) => httpRequest("HEAD", options),
    execute: (options) => httpRequest(String(options?.method ?? "GET").toUpperCase(), options),
});

const base64url = (bytes) => Buffer.from(bytes).toString("base64url");

const utils = Object.freeze({
    crypto: Object.freeze({
        hash: (name, text) => new Binary(cryptoOf().createHash(name).update(bytesOf(text)).digest()),
        hmac: (text, secret, name, form = "base64") =>
            cryptoOf().createHmac(name, secret).update(bytesOf(text)).digest(form === "hex" ? "hex" : "base64"),
        sign: (kind, message, key) => new Binary(cryptoOf().sign("sha256", bytesOf(message), key)),
        verify: (kind, message, key, signature) => cryptoOf().verify("sha256", bytesOf(message), key, signature.buffer ?? signature),
    }),
    jwt: Object.freeze({
        encode(algorithm, payload, secret, customHeader = {}) {
            const header = { ...customHeader, alg: algorithm, typ: "JWT" };
            const text = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(payload))}`;
            return `${text}.${base64url(jwtSignature(algorithm, text, secret))}`;
        },
        decode(token, secret, returnHeader = false, accepted = ["HS256", "HS384", "HS512", "RS256", "RS384", "RS512"]) {
            const [head, payload, signature, ...rest] = String(token).split(".");
            const header = JSON.parse(Buffer.from(head, "base64url").toString());
            if (rest.length > 0 || signature === undefined || !accepted.includes(header.alg) || !jwtHolds(header.alg, `${head}.${payload}`, secret, signature)) {
                throw new Error("the JWT's signature is not valid");
            }
            const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
            if (typeof claims.exp === "number" && claims.exp * 1000 < Date.now()) {
                throw new Error("the JWT has expired");
            }
            return returnHeader ? { header, payload: claims } : claims;
        },
    }),
});

function cryptoOf() {
    return require("crypto");
}
function bytesOf(text) {
    return text instanceof Binary ? text.buffer : Buffer.from(text);
}
function jwtSignature(algorithm, text, secret) {
    const hash = `sha${algorithm.slice(2)}`;
    if (algorithm.startsWith("HS")) {
        return cryptoOf().createHmac(hash, secret).update(text).digest();
    }
    if (algorithm.startsWith("RS")) {
        return cryptoOf().sign(hash, Buffer.from(text), secret);
    }
    throw new Error(`JWT algorithm '${algorithm}' is not supported`);
}
function jwtHolds(algorithm, text, secret, signature) {
    const given = Buffer.from(signature, "base64url");
    if (algorithm.startsWith("RS")) {
        return cryptoOf().verify(`sha${algorithm.slice(2)}`, Buffer.from(text), secret, given);
    }
    const expected = jwtSignature(algorithm, text, secret);
    return given.length === expected.length && cryptoOf().timingSafeEqual(given, expected);
}
