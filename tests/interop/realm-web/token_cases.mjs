// Custom JWT authentication: shared secrets and key sets.

import assert from "node:assert/strict";

import { fails } from "./harness.mjs";
import { hs256, Issuer, now, unsigned } from "./jwt.mjs";

const key = "the-key-that-every-issuer-signs-with-now";
const oldKey = "the-key-that-was-used-until-last-spring";

export async function tokenCases(context) {
    const { checks, client, Credentials } = context;
    const claims = (more = {}) => ({
        aud: "interop-abcde", exp: now() + 3600, sub: "subject-1", profile: { "display.name": "Ada" }, ...more,
    });
    const logIn = (token) => client().logIn(Credentials.jwt(token));
    const refused = (token, text) => fails(() => logIn(token), 401, text, "AuthError");

    await checks.check("custom JWT: the same subject is the same user, data has exactly the mapped fields", async () => {
        const user = await logIn(hs256(claims({ secret: "not mapped" }), key));
        assert.deepEqual({ ...user.profile }, { name: "Ada" });
        assert.equal(user.identities[0].id, "subject-1");
        assert.equal(user.identities[0].providerType, "custom-token");
        assert.equal((await logIn(hs256(claims(), oldKey))).id, user.id);
        assert.notEqual((await logIn(hs256(claims({ sub: "subject-2" }), key))).id, user.id);
    });
    await checks.check("custom JWT: data follows the newest token", async () => {
        const sub = "subject-3";
        await logIn(hs256(claims({ sub, team: "red" }), key));
        const user = await logIn(hs256(claims({ sub, profile: { "display.name": "Grace" } }), key));
        assert.deepEqual({ ...user.profile }, { name: "Grace" });
    });
    await checks.check("custom JWT: audience as an array, iat and nbf in the past", async () => {
        await logIn(hs256(claims({ aud: ["other", "interop-abcde"], iat: now() - 5, nbf: now() - 5 }), key));
    });
    await checks.check("custom JWT: what is refused", async () => {
        await refused(hs256(claims(), "some-other-key-of-enough-length-1234567"), /signature/);
        await refused(hs256(claims({ exp: now() - 1 }), key), /expired/);
        await refused(hs256(claims({ exp: undefined }), key), /'exp'/);
        await refused(hs256(claims({ nbf: now() + 600 }), key), /not valid yet/);
        await refused(hs256(claims({ aud: "another-app" }), key), /audience/);
        await refused(hs256(claims({ aud: undefined }), key), /'aud'/);
        await refused(hs256(claims({ sub: undefined }), key), /'sub'/);
        await refused(hs256(claims({ profile: {} }), key), /required metadata field 'name'/);
        await refused(unsigned(claims()), /algorithm/);
        await refused(hs256(claims(), key, { alg: "HS384", typ: "JWT" }), /algorithm/);
        await refused(hs256(claims(), key, { typ: "JWT" }), /algorithm/);
        await refused(hs256(claims(), key).slice(0, -4), /signature/);
        await refused("not a token", /JWT/);
    });
    await checks.check("custom JWT: linked to an anonymous user", async () => {
        const user = await client().logIn(Credentials.anonymous());
        const { id } = user;
        await user.linkCredentials(Credentials.jwt(hs256(claims({ sub: "linked" }), key)));
        assert.deepEqual(user.identities.map((one) => one.providerType), ["anon-user", "custom-token"]);
        assert.equal((await logIn(hs256(claims({ sub: "linked" }), key))).id, id);
    });
}

export async function keySetCases(context) {
    // Side by side: each waits for the server's next early fetch.
    await Promise.all([keySetCasesOf(context, "RS256", "interop-rs-abcde", "/rs"), keySetCasesOf(context, "ES256", "interop-es-abcde", "/es")]);
}

async function keySetCasesOf(context, algorithm, app, path) {
    const { checks, client, keySets, Credentials } = context;
    const claims = (more = {}) => ({ aud: "second-audience", exp: now() + 3600, sub: "subject", ...more });
    const logIn = (token) => client(app).logIn(Credentials.jwt(token));
    const refused = (token, text) => fails(() => logIn(token), 401, text, "AuthError");
    const first = new Issuer(algorithm, "first");
    const second = new Issuer(algorithm, "second");

    await checks.check(`key set ${algorithm}: one fetch serves many logins`, async () => {
        keySets.sets[path] = [first.jwk()];
        const user = await logIn(first.token(claims()));
        assert.equal((await logIn(first.token(claims()))).id, user.id);
        assert.equal(keySets.fetches[path], 1);
    });
    await checks.check(`key set ${algorithm}: what is refused`, async () => {
        await refused(new Issuer(algorithm, "first").token(claims()), /signature/);
        await refused(first.token(claims({ aud: "third-audience" })), /audience/);
        await refused(first.token(claims({ exp: now() - 1 })), /expired/);
        await refused(unsigned(claims()), /algorithm/);
        // Key confusion: the public key taken for a shared secret.
        await refused(hs256(claims(), first.pem(), { alg: "HS256", typ: "JWT", kid: "first" }), /algorithm/);
    });
    await checks.check(`key set ${algorithm}: a rotated key is fetched when a token names it`, async () => {
        keySets.sets[path] = [first.jwk(), second.jwk()];
        // The server fetches early once in ten seconds at most, so the first tries may come too soon.
        for (let attempt = 0; ; ++attempt) {
            try {
                await logIn(second.token(claims()));
                break;
            } catch (error) {
                assert.match(String(error.error), /key id is not in the key set/);
                assert.ok(attempt < 60, "the set was never fetched again");
                await new Promise((done) => setTimeout(done, 250));
            }
        }
        assert.equal(keySets.fetches[path], 2);
        await logIn(first.token(claims()));
    });
}
