// Sign-in, linking, sessions, deletion.

import assert from "node:assert/strict";

import { fails } from "./harness.mjs";
import { decode } from "./jwt.mjs";

const password = "correct horse";

export async function sessionCases(context) {
    const { checks, client, Credentials, newAddress } = context;
    const signUp = async (app, address = newAddress()) => {
        await app.emailPasswordAuth.registerUser({ email: address, password });
        return { address, user: await app.logIn(Credentials.emailPassword(address, password)) };
    };

    await checks.check("anonymous: a user with an empty profile", async () => {
        const user = await client().logIn(Credentials.anonymous());
        assert.match(user.id, /^[0-9a-f]{24}$/);
        assert.match(user.deviceId, /^[0-9a-f]{24}$/);
        assert.notEqual(user.deviceId, "000000000000000000000000");
        assert.equal(user.providerType, "anon-user");
        assert.deepEqual({ ...user.profile }, {});
        assert.deepEqual(user.customData, {});
        assert.deepEqual(user.identities.map((one) => one.providerType), ["anon-user"]);
        assert.ok(user.isLoggedIn);
    });
    await checks.check("anonymous: reused by default, another user without reuse, on the same device", async () => {
        const app = client();
        const first = await app.logIn(Credentials.anonymous());
        assert.equal((await app.logIn(Credentials.anonymous())).id, first.id);
        const second = await app.logIn(Credentials.anonymous(false));
        assert.notEqual(second.id, first.id);
        assert.equal(second.deviceId, first.deviceId);
    });
    await checks.check("tokens: kinds, lifetimes and session ids", async () => {
        const user = await client().logIn(Credentials.anonymous());
        const access = decode(user.accessToken).payload;
        const refresh = decode(user.refreshToken).payload;
        assert.equal(access.exp - access.iat, 1800);
        assert.equal(access.sub, user.id);
        assert.equal(access.iss, refresh.baas_id);
        assert.deepEqual([access.typ, refresh.typ], ["access", "refresh"]);
        assert.equal(access.baas_device_id, user.deviceId);
    });
    await checks.check("email/password: sign-up, sign-in, the same user again", async () => {
        const { address, user } = await signUp(client());
        assert.equal(user.profile.email, address);
        assert.equal(user.providerType, "local-userpass");
        const again = await client().logIn(Credentials.emailPassword(address, password));
        assert.equal(again.id, user.id);
        assert.notEqual(again.refreshToken, user.refreshToken);
    });
    await checks.check("link: identities in order, the same user by the linked login", async () => {
        const app = client();
        const user = await app.logIn(Credentials.anonymous());
        const { id } = user;
        const address = newAddress();
        await app.emailPasswordAuth.registerUser({ email: address, password });
        await user.linkCredentials(Credentials.emailPassword(address, password));
        assert.equal(user.id, id);
        assert.deepEqual(user.identities.map((one) => one.providerType), ["anon-user", "local-userpass"]);
        assert.equal(user.profile.email, address);
        const other = await client().logIn(Credentials.emailPassword(address, password));
        assert.equal(other.id, id);
        await user.refreshAccessToken();
        await user.refreshProfile();
    });
    await checks.check("link: bad credentials fail once and do not loop", async () => {
        for (const [credentials, status, text, code] of [
            [Credentials.emailPassword("nobody@example.com", password), 400, "invalid username/password", "InvalidPassword"],
            [Credentials.apiKey("x".repeat(64)), 400, "invalid API key", "AuthError"],
            [Credentials.jwt("a.b.c"), 400, /token/, "AuthError"],
            [Credentials.anonymous(), 400, "anonymous credentials cannot be linked", "BadRequest"],
        ]) {
            const requests = [];
            const app = client(undefined, requests);
            const user = await app.logIn(Credentials.anonymous());
            const before = requests.length;
            await fails(() => user.linkCredentials(credentials), status, text, code);
            assert.equal(requests.length - before, 1);
            await user.refreshProfile();
        }
    });
    await checks.check("link: credentials of another user are refused", async () => {
        const { address } = await signUp(client());
        const user = await client().logIn(Credentials.anonymous());
        await fails(() => user.linkCredentials(Credentials.emailPassword(address, password)), 409, /another user/, "AccountNameInUse");
        assert.deepEqual(user.identities.map((one) => one.providerType), ["anon-user"]);
    });
    await checks.check("delete: deleteUser resolves, the login then fails, the address is free", async () => {
        const app = client();
        const { address, user } = await signUp(app);
        const { id } = user;
        await app.deleteUser(user);
        assert.equal(app.allUsers[user.id], undefined);
        await fails(() => client().logIn(Credentials.emailPassword(address, password)), 401, "unauthorized", "InvalidPassword");
        const { user: next } = await signUp(client(), address);
        assert.notEqual(next.id, id);
    });
    await checks.check("delete: an anonymous user", async () => {
        const app = client();
        await app.deleteUser(await app.logIn(Credentials.anonymous()));
        assert.equal(app.currentUser, null);
    });
    await checks.check("refresh: a garbage access token leads to one refresh and success", async () => {
        for (const garbage of ["garbage", "a.b.c", ""]) {
            const requests = [];
            const user = await client(undefined, requests).logIn(Credentials.anonymous());
            user.accessToken = garbage || tampered(user.accessToken);
            requests.length = 0;
            await user.refreshProfile();
            assert.deepEqual(requests.map(([method, path, status]) => [method, path.split("/").at(-1), status]),
                [["GET", "profile", 401], ["POST", "session", 201], ["GET", "profile", 200]]);
        }
    });
    await checks.check("refresh: a token of the other kind is not taken", async () => {
        const user = await client().logIn(Credentials.anonymous());
        const good = user.refreshToken;
        user.refreshToken = user.accessToken;
        await fails(() => user.refreshAccessToken(), 401, "invalid refresh token: incorrect token type", "InvalidSession");
        assert.equal(user.refreshToken, null);
        user.refreshToken = good;
        await user.refreshAccessToken();
    });
    await checks.check("log out: ends this session only; twice is quiet", async () => {
        const { address, user } = await signUp(client());
        const other = await client().logIn(Credentials.emailPassword(address, password));
        const { refreshToken } = user;
        await user.logOut();
        assert.equal(user.isLoggedIn, false);
        user.refreshToken = refreshToken;
        await fails(() => user.refreshAccessToken(), 401, "invalid session: failed to find refresh token", "InvalidSession");
        user.refreshToken = refreshToken;
        await user.logOut();
        await other.refreshAccessToken();
    });
    await checks.check("20 users sign up and in at once", async () => {
        const all = await Promise.all(Array.from({ length: 20 }, () => signUp(client())));
        assert.equal(new Set(all.map(({ user }) => user.id)).size, 20);
        assert.ok(all.every(({ address, user }) => user.profile.email === address));
    });
    await checks.check("20 first sign-ins of one user at once give one user", async () => {
        const address = newAddress();
        await client().emailPasswordAuth.registerUser({ email: address, password });
        const all = await Promise.all(Array.from({ length: 20 }, () => client().logIn(Credentials.emailPassword(address, password))));
        assert.equal(new Set(all.map((user) => user.id)).size, 1);
        await Promise.all(all.map((user) => user.refreshAccessToken()));
    });
    await checks.check("an unknown app", async () => {
        await fails(() => client("nowhere-aaaaa").logIn(Credentials.anonymous()), 404,
            "cannot find app using Client App ID 'nowhere-aaaaa'", "AppNotFound");
    });
    await checks.check("a provider that is off or unknown here", async () => {
        await fails(() => client("interop-confirm-abcde").logIn(Credentials.anonymous()), 404, /anon-user/, "AuthProviderNotFound");
        await fails(() => client().logIn(Credentials.function({ any: "thing" })), 404, /custom-function/, "AuthProviderNotFound");
    });
    await checks.check("users and sessions outlive a restart of the server", async () => {
        const { address, user } = await signUp(client());
        await context.server.restart();
        await user.refreshProfile();
        await user.refreshAccessToken();
        assert.equal((await client().logIn(Credentials.emailPassword(address, password))).id, user.id);
    });
}

// The token with one letter of its payload changed.
function tampered(token) {
    const at = token.indexOf(".") + 10;
    return token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
}
