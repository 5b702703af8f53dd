// BSON types as functions see them, and Extended JSON both ways. Globals of every function: BSON, EJSON.

const depthMax = 200;

// Classes of App Services may be called with and without new.
function callable(type) {
    return new Proxy(type, {
        apply: (target, self, args) => new target(...args),
    });
}

const hexPattern = /^[0-9a-fA-F]*$/;
let objectIdCounter = Math.floor(Math.random() * 0x1000000);
const processRandom = require("crypto").randomBytes(5);

const ObjectId = callable(class ObjectId {
    constructor(id) {
        if (id === undefined || id === null) {
            const bytes = Buffer.alloc(12);
            bytes.writeUInt32BE(Math.floor(Date.now() / 1000) >>> 0, 0);
            processRandom.copy(bytes, 4);
            objectIdCounter = (objectIdCounter + 1) % 0x1000000;
            bytes.writeUIntBE(objectIdCounter, 9, 3);
            this.hex = bytes.toString("hex");
        } else if (typeof id === "string" && id.length === 24 && hexPattern.test(id)) {
            this.hex = id.toLowerCase();
        } else if (id instanceof Uint8Array && id.length === 12) {
            this.hex = Buffer.from(id).toString("hex");
        } else if (typeof id === "object" && typeof id.toHexString === "function") {
            this.hex = id.toHexString();
        } else {
            throw new TypeError("an ObjectId has 24 hex digits");
        }
        Object.defineProperty(this, "hex", { enumerable: false });
    }
    static createFromHexString(hex) {
        return new ObjectId(hex);
    }
    static isValid(id) {
        return (typeof id === "string" && id.length === 24 && hexPattern.test(id)) || id instanceof ObjectId;
    }
    toHexString() {
        return this.hex;
    }
    toString() {
        return this.hex;
    }
    toJSON() {
        return this.hex;
    }
    getTimestamp() {
        return new Date(parseInt(this.hex.slice(0, 8), 16) * 1000);
    }
    equals(other) {
        return other !== null && other !== undefined && String(other) === this.hex;
    }
    toEjson() {
        return { $oid: this.hex };
    }
    [Symbol.for("nodejs.util.inspect.custom")]() {
        return `ObjectId("${this.hex}")`;
    }
});

const Int32 = callable(class Int32 {
    constructor(value) {
        this.value = Number(value) | 0;
    }
    valueOf() {
        return this.value;
    }
    toString() {
        return String(this.value);
    }
    toJSON() {
        return this.value;
    }
    toEjson() {
        return { $numberInt: String(this.value) };
    }
});

const Double = callable(class Double {
    constructor(value) {
        this.value = Number(value);
    }
    valueOf() {
        return this.value;
    }
    toString() {
        return String(this.value);
    }
    toJSON() {
        return this.value;
    }
    toEjson() {
        return doubleToEjson(this.value);
    }
});

const Long = callable(class Long {
    // One number, bigint or text; or the low and high 32 bits.
    constructor(low, high) {
        this.value = high === undefined
            ? BigInt.asIntN(64, BigInt(low ?? 0))
            : BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(Number(low) >>> 0));
        Object.defineProperty(this, "value", { enumerable: false });
    }
    static fromString(text) {
        return new Long(BigInt(text));
    }
    static fromNumber(number) {
        return new Long(BigInt(Math.trunc(number)));
    }
    static fromBigInt(value) {
        return new Long(value);
    }
    toNumber() {
        return Number(this.value);
    }
    toBigInt() {
        return this.value;
    }
    valueOf() {
        return this.value;
    }
    toString() {
        return this.value.toString();
    }
    toJSON() {
        return Number(this.value);
    }
    equals(other) {
        return BigInt(other) === this.value;
    }
    toEjson() {
        return { $numberLong: this.value.toString() };
    }
    [Symbol.for("nodejs.util.inspect.custom")]() {
        return `Long("${this.value}")`;
    }
});

const Decimal128 = callable(class Decimal128 {
    constructor(text) {
        this.text = String(text);
        Object.defineProperty(this, "text", { enumerable: false });
    }
    static fromString(text) {
        return new Decimal128(text);
    }
    toString() {
        return this.text;
    }
    toJSON() {
        return { $numberDecimal: this.text };
    }
    toEjson() {
        return { $numberDecimal: this.text };
    }
    [Symbol.for("nodejs.util.inspect.custom")]() {
        return `Decimal128("${this.text}")`;
    }
});

const Binary = callable(class Binary {
    constructor(bytes, subType = 0) {
        this.buffer = typeof bytes === "string" ? Buffer.from(bytes, "base64") : Buffer.from(bytes ?? []);
        this.sub_type = subType;
    }
    static fromBase64(text, subType = 0) {
        return new Binary(Buffer.from(text, "base64"), subType);
    }
    static fromHex(text, subType = 0) {
        return new Binary(Buffer.from(text, "hex"), subType);
    }
    static fromText(text, subType = 0) {
        return new Binary(Buffer.from(text, "utf8"), subType);
    }
    text() {
        return this.buffer.toString("utf8");
    }
    toString(encoding) {
        return this.buffer.toString(encoding);
    }
    toBase64() {
        return this.buffer.toString("base64");
    }
    toHex() {
        return this.buffer.toString("hex");
    }
    length() {
        return this.buffer.length;
    }
    toUUIDString() {
        const hex = this.toHex();
        return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
    }
    toJSON() {
        return this.toBase64();
    }
    toEjson() {
        return { $binary: { base64: this.toBase64(), subType: this.sub_type.toString(16).padStart(2, "0") } };
    }
});

const UUID = callable(class UUID {
    constructor(text) {
        const hex = text === undefined
            ? require("crypto").randomUUID().replaceAll("-", "")
            : text instanceof Uint8Array ? Buffer.from(text).toString("hex") : String(text).replaceAll("-", "");
        if (hex.length !== 32 || !hexPattern.test(hex)) {
            throw new TypeError("a UUID has 32 hex digits");
        }
        return new Binary(Buffer.from(hex, "hex"), 4);
    }
});

const Timestamp = callable(class Timestamp {
    // Increment and seconds, as BSON has them; or {t, i}.
    constructor(low, high) {
        const parts = typeof low === "object" && low !== null ? low : { t: high ?? 0, i: low ?? 0 };
        this.t = Number(parts.t) >>> 0;
        this.i = Number(parts.i) >>> 0;
    }
    toJSON() {
        return this.toEjson();
    }
    toEjson() {
        return { $timestamp: { t: this.t, i: this.i } };
    }
});

const BSONRegExp = callable(class BSONRegExp {
    constructor(pattern, options = "") {
        this.pattern = String(pattern);
        this.options = [...String(options)].sort().join("");
    }
    toEjson() {
        return { $regularExpression: { pattern: this.pattern, options: this.options } };
    }
});

const MinKey = callable(class MinKey {
    toEjson() {
        return { $minKey: 1 };
    }
});
const MaxKey = callable(class MaxKey {
    toEjson() {
        return { $maxKey: 1 };
    }
});
const BSONSymbol = callable(class BSONSymbol {
    constructor(value) {
        this.value = String(value);
    }
    toString() {
        return this.value;
    }
    toEjson() {
        return { $symbol: this.value };
    }
});
const Code = callable(class Code {
    constructor(code, scope) {
        this.code = String(code);
        this.scope = scope;
    }
    toEjson() {
        return this.scope === undefined ? { $code: this.code } : { $code: this.code, $scope: toEjson(this.scope, 1) };
    }
});
const DBRef = callable(class DBRef {
    constructor(collection, id, db) {
        this.collection = collection;
        this.id = id;
        this.db = db;
    }
    toEjson() {
        const out = { $ref: this.collection, $id: toEjson(this.id, 1) };
        return this.db === undefined ? out : { ...out, $db: this.db };
    }
});

function doubleToEjson(number) {
    return { $numberDouble: Object.is(number, -0) ? "-0.0" : Number.isInteger(number) && Math.abs(number) < 1e21 ? `${number}.0` : String(number) };
}

// Whole numbers are int64 (R6-1); what a double holds exactly and int64 does not is a double.
function numberToEjson(number) {
    return Number.isSafeInteger(number) && !Object.is(number, -0) ? { $numberLong: String(number) } : doubleToEjson(number);
}

function regExpOptions(regExp) {
    return [...regExp.flags].filter((flag) => "ims".includes(flag)).sort().join("");
}

// A value as what JSON.stringify makes canonical Extended JSON of. Fields that are undefined or functions are left out.
function toEjson(value, depth = 0) {
    if (depth > depthMax) {
        throw new RangeError("the value is nested too deeply, or contains itself");
    }
    switch (typeof value) {
    case "number":
        return numberToEjson(value);
    case "bigint":
        return { $numberLong: BigInt.asIntN(64, value).toString() };
    case "string":
    case "boolean":
        return value;
    case "object":
        break;
    default:
        return undefined;
    }
    if (value === null) {
        return null;
    }
    if (typeof value.toEjson === "function") {
        return value.toEjson();
    }
    if (Array.isArray(value)) {
        return value.map((one) => toEjson(one, depth + 1) ?? null);
    }
    if (value instanceof Date) {
        return { $date: { $numberLong: String(value.getTime()) } };
    }
    if (value instanceof RegExp) {
        return { $regularExpression: { pattern: value.source, options: regExpOptions(value) } };
    }
    if (ArrayBuffer.isView(value)) {
        return { $binary: { base64: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64"), subType: "00" } };
    }
    if (value instanceof ArrayBuffer) {
        return { $binary: { base64: Buffer.from(value).toString("base64"), subType: "00" } };
    }
    if (value instanceof Set) {
        return [...value].map((one) => toEjson(one, depth + 1) ?? null);
    }
    if (value instanceof Map) {
        return toEjson(Object.fromEntries(value), depth);
    }
    if (value instanceof Number || value instanceof String || value instanceof Boolean) {
        return toEjson(value.valueOf(), depth);
    }
    if (typeof value.toJSON === "function") {
        return toEjson(value.toJSON(), depth + 1);
    }
    const out = Object.create(null);
    for (const key of Object.keys(value)) {
        const converted = toEjson(value[key], depth + 1);
        if (converted !== undefined) {
            out[key] = converted;
        }
    }
    return out;
}

function longOf(text) {
    const value = BigInt(text);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : new Long(value);
}

function dateOf(value) {
    if (typeof value === "object" && value !== null) {
        return new Date(Number(value.$numberLong));
    }
    return new Date(value);
}

// By the first key of an object; each is used when the whole object has that form.
const typeReaders = {
    $oid: (o) => new ObjectId(o.$oid),
    $numberInt: (o) => Number(o.$numberInt),
    $numberLong: (o) => longOf(o.$numberLong),
    $numberDouble: (o) => Number(o.$numberDouble),
    $numberDecimal: (o) => new Decimal128(o.$numberDecimal),
    $date: (o) => dateOf(o.$date),
    $binary: (o) => typeof o.$binary === "string"
        ? Binary.fromBase64(o.$binary, parseInt(o.$type, 16))
        : Binary.fromBase64(o.$binary.base64, parseInt(o.$binary.subType, 16)),
    $uuid: (o) => new UUID(o.$uuid),
    $regularExpression: (o) => regExpOf(o.$regularExpression.pattern, o.$regularExpression.options),
    $timestamp: (o) => new Timestamp(o.$timestamp),
    $undefined: () => undefined,
    $minKey: () => new MinKey(),
    $maxKey: () => new MaxKey(),
    $symbol: (o) => new BSONSymbol(o.$symbol),
    $code: (o) => new Code(o.$code, o.$scope === undefined ? undefined : fromEjson(o.$scope)),
};

// A RegExp where JavaScript has all of it.
function regExpOf(pattern, options) {
    if (/^[ims]*$/.test(options)) {
        try {
            return new RegExp(pattern, options);
        } catch {
            // A pattern of another dialect.
        }
    }
    return new BSONRegExp(pattern, options);
}

// What JSON.parse made of Extended JSON, to values. Works in place: keys such as __proto__ stay own properties.
function fromEjson(value, depth = 0) {
    if (typeof value !== "object" || value === null) {
        return value;
    }
    if (depth > depthMax) {
        throw new RangeError("the value is nested too deeply");
    }
    if (Array.isArray(value)) {
        for (let i = 0; i < value.length; ++i) {
            value[i] = fromEjson(value[i], depth + 1);
        }
        return value;
    }
    const keys = Object.keys(value);
    if (keys.length > 0 && keys.length <= 2 && keys[0].startsWith("$") && Object.hasOwn(typeReaders, keys[0])) {
        return typeReaders[keys[0]](value);
    }
    for (const key of keys) {
        value[key] = fromEjson(value[key], depth + 1);
    }
    if (keys[0] === "$ref" && keys.length >= 2 && keys[1] === "$id") {
        return new DBRef(value.$ref, value.$id, value.$db);
    }
    return value;
}

const stringifyEjson = (value) => JSON.stringify(toEjson(value)) ?? "null";
const parseEjson = (text) => fromEjson(JSON.parse(text));

// Types as their relaxed form has them: numbers and dates as people write them.
function relaxed(value) {
    if (typeof value !== "object" || value === null) {
        return value;
    }
    if (Array.isArray(value)) {
        return value.map(relaxed);
    }
    if (value.$numberInt !== undefined || value.$numberLong !== undefined) {
        return Number(value.$numberInt ?? value.$numberLong);
    }
    if (value.$numberDouble !== undefined) {
        const number = Number(value.$numberDouble);
        return Number.isFinite(number) ? number : value;
    }
    if (value.$date?.$numberLong !== undefined) {
        const date = new Date(Number(value.$date.$numberLong));
        const year = date.getUTCFullYear();
        return year >= 1970 && year <= 9999 ? { $date: date.toISOString() } : value;
    }
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, relaxed(one)]));
}

const EJSON = Object.freeze({
    // As in the bson package: (value, replacer, space, options), all but the value optional; canonical unless {relaxed: true}.
    stringify(value, ...more) {
        const options = more.find((one) => typeof one === "object" && one !== null && !Array.isArray(one)) ?? {};
        const space = more.find((one, at) => at > 0 && (typeof one === "number" || typeof one === "string"));
        const converted = toEjson(value);
        return JSON.stringify(options.relaxed === true ? relaxed(converted) : converted, null, space);
    },
    parse: parseEjson,
    serialize: (value) => toEjson(value),
    deserialize: (value) => fromEjson(JSON.parse(JSON.stringify(value))),
});

const BSON = Object.freeze({
    ObjectId, ObjectID: ObjectId, Int32, Double, Long, Decimal128, Binary, UUID, Timestamp, BSONRegExp, MinKey, MaxKey,
    Symbol: BSONSymbol, Code, DBRef, EJSON,
});
