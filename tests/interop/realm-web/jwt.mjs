// JSON Web Tokens and key sets as an external issuer makes them.

import { createHmac, createSign, generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";

const encode = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

export const now = () => Math.floor(Date.now() / 1000);

export function decode(token) {
    const [header, payload] = token.split(".").slice(0, 2).map((part) => JSON.parse(Buffer.from(part, "base64url")));
    return { header, payload };
}

function assemble(header, claims, sign) {
    const signed = `${encode(header)}.${encode(claims)}`;
    return `${signed}.${sign(signed)}`;
}

export function hs256(claims, secret, header = { alg: "HS256", typ: "JWT" }) {
    return assemble(header, claims, (text) => createHmac("sha256", secret).update(text).digest("base64url"));
}

export function unsigned(claims) {
    return assemble({ alg: "none", typ: "JWT" }, claims, () => "");
}

export class Issuer {
    constructor(algorithm, kid) {
        this.algorithm = algorithm;
        this.kid = kid;
        const pair = algorithm === "RS256" ? generateKeyPairSync("rsa", { modulusLength: 2048 })
            : generateKeyPairSync("ec", { namedCurve: "P-256" });
        this.privateKey = pair.privateKey;
        this.publicKey = pair.publicKey;
    }

    jwk() {
        return { ...this.publicKey.export({ format: "jwk" }), kid: this.kid, alg: this.algorithm, use: "sig" };
    }

    pem() {
        return this.publicKey.export({ format: "pem", type: "spki" });
    }

    token(claims) {
        return assemble({ alg: this.algorithm, typ: "JWT", kid: this.kid }, claims, (text) => createSign("sha256").update(text)
            .sign({ key: this.privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url"));
    }
}

// Serves key sets on loopback: sets[path] is an array of JWKs; fetches[path] counts.
export class KeySetServer {
    sets = {};
    fetches = {};

    async start() {
        this.http = createServer((request, response) => {
            this.fetches[request.url] = (this.fetches[request.url] ?? 0) + 1;
            response.setHeader("Content-Type", "application/json");
            response.end(JSON.stringify({ keys: this.sets[request.url] ?? [] }));
        });
        await new Promise((done) => this.http.listen(0, "127.0.0.1", done));
        this.url = `http://127.0.0.1:${this.http.address().port}`;
    }

    stop() {
        this.http.closeAllConnections?.();
        this.http.close();
    }
}
