// Extended JSON to the JavaScript values that mingo works on, and back to a canonical text for comparison.
//
// mingo has one kind of number and no decimals, timestamps, binary or key bounds: a case with one of those is not comparable and
// says so by throwing NotComparable.

export class NotComparable extends Error {}

export class ObjectId {
    constructor(hex) {
        this.hex = hex;
    }
    toString() {
        return this.hex;
    }
}

const absent = new Set(["$numberDecimal", "$timestamp", "$binary", "$minKey", "$maxKey", "$symbol", "$code",
    "$undefined", "$dbPointer", "$uuid"]);

function number(text) {
    const value = Number(text);
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
        throw new NotComparable("an integer beyond 2^53");
    }
    return value;
}

// An object is a typed value only if it has exactly the one key of that form.
function typed(key, content) {
    switch (key) {
    case "$numberInt":
    case "$numberLong":
        return typeof content === "string" ? number(content) : undefined;
    case "$numberDouble":
        return typeof content === "string" ? Number(content) : undefined;
    case "$oid":
        return typeof content === "string" ? new ObjectId(content.toLowerCase()) : undefined;
    case "$date":
        return content && content.$numberLong !== undefined ? new Date(Number(content.$numberLong)) : undefined;
    case "$regularExpression":
        return new RegExp(content.pattern, content.options.replace(/[xu]/g, (flag) => {
            if (flag === "x") {
                throw new NotComparable("the regex option x");
            }
            return "u";
        }));
    default:
        return undefined;
    }
}

export function toValue(json) {
    if (typeof json === "number") {
        return number(json);
    }
    if (json === null || typeof json !== "object") {
        return json;
    }
    if (Array.isArray(json)) {
        return json.map(toValue);
    }
    const keys = Object.keys(json);
    if (keys.length === 1 && keys[0].startsWith("$")) {
        const isTypeOperand = ["$minKey", "$maxKey", "$undefined"].includes(keys[0]) && typeof json[keys[0]] === "object";
        if (absent.has(keys[0]) && !isTypeOperand) {
            throw new NotComparable(`a value of the type ${keys[0]}`);
        }
        const value = typed(keys[0], json[keys[0]]);
        if (value !== undefined) {
            return value;
        }
    }
    return Object.fromEntries(keys.map((key) => [key, toValue(json[key])]));
}

// Fields in order of their names (mingo keeps another order in places); numbers by value.
export function canonical(value) {
    if (value === undefined || value === null) {
        return "null";
    }
    if (typeof value === "number") {
        return Object.is(value, -0) ? "0" : String(value);
    }
    if (value instanceof Date) {
        return `Date(${value.getTime()})`;
    }
    if (value instanceof RegExp) {
        return `/${value.source}/${value.flags}`;
    }
    if (value instanceof ObjectId) {
        return `ObjectId(${value.hex})`;
    }
    if (Array.isArray(value)) {
        return `[${Array.from(value, canonical).join(", ")}]`;
    }
    if (typeof value === "object") {
        const fields = Object.keys(value).filter((key) => value[key] !== undefined).sort();
        return `{${fields.map((key) => `${JSON.stringify(key)}: ${canonical(value[key])}`).join(", ")}}`;
    }
    return JSON.stringify(value);
}
