// API keys of users.

import assert from "node:assert/strict";

import { fails } from "./harness.mjs";

const password = "correct horse";

export async function keyCases(context) {
    const { checks, client, Credentials, newAddress } = context;
    const signUp = async () => {
        const app = client();
        const email = newAddress();
        await app.emailPasswordAuth.registerUser({ email, password });
        return app.logIn(Credentials.emailPassword(email, password));
    };

    await checks.check("API keys: create, fetch, list, disable, enable, delete", async () => {
        const user = await signUp();
        assert.deepEqual(await user.apiKeys.fetchAll(), []);
        const { key, ...first } = await user.apiKeys.create("my-first-key");
        assert.match(key, /^[0-9A-Za-z]{64}$/);
        assert.match(first._id, /^[0-9a-f]{24}$/);
        assert.deepEqual(first, { _id: first._id, name: "my-first-key", disabled: false });
        const { key: otherKey, ...second } = await user.apiKeys.create("my-second-key");
        assert.notEqual(otherKey, key);
        assert.deepEqual(await user.apiKeys.fetch(first._id), first);
        const byName = (keys) => [...keys].sort((a, b) => a.name.localeCompare(b.name));
        assert.deepEqual(byName(await user.apiKeys.fetchAll()), [first, second]);
        await user.apiKeys.disable(first._id);
        await user.apiKeys.disable(first._id);
        assert.deepEqual(await user.apiKeys.fetch(first._id), { ...first, disabled: true });
        await user.apiKeys.enable(first._id);
        assert.deepEqual(await user.apiKeys.fetch(first._id), first);
        await user.apiKeys.delete(first._id);
        await fails(() => user.apiKeys.fetch(first._id), 404, "API key not found", "APIKeyNotFound");
        assert.deepEqual(await user.apiKeys.fetchAll(), [second]);
    });
    await checks.check("API keys: sign-in with a key gives its owner", async () => {
        const user = await signUp();
        const { key } = await user.apiKeys.create("login");
        const same = await client().logIn(Credentials.apiKey(key));
        assert.equal(same.id, user.id);
        assert.equal(same.providerType, "api-key");
        assert.equal(same.profile.email, user.profile.email);
        assert.deepEqual(same.identities.map((one) => one.providerType), ["local-userpass"]);
        await same.refreshAccessToken();
    });
    await checks.check("API keys: a disabled or deleted key neither signs in nor refreshes", async () => {
        const user = await signUp();
        const { key, _id } = await user.apiKeys.create("login");
        const same = await client().logIn(Credentials.apiKey(key));
        const refused = () => fails(() => client().logIn(Credentials.apiKey(key)), 401, "invalid API key", "AuthError");
        await user.apiKeys.disable(_id);
        await refused();
        await fails(() => same.refreshAccessToken(), 401, /^invalid session/, "InvalidSession");
        await user.apiKeys.enable(_id);
        await client().logIn(Credentials.apiKey(key));
        await user.apiKeys.delete(_id);
        await refused();
    });
    await checks.check("API keys: a session cannot delete the key that opened it", async () => {
        const user = await signUp();
        const { key, _id } = await user.apiKeys.create("login");
        const same = await client().logIn(Credentials.apiKey(key));
        const error = await same.apiKeys.delete(_id).catch((thrown) => thrown);
        assert.equal(error.statusCode, 403);
        await user.apiKeys.delete(_id);
    });
    await checks.check("API keys: another user's keys are not there", async () => {
        const [owner, other] = [await signUp(), await signUp()];
        const { _id } = await owner.apiKeys.create("mine");
        for (const call of ["fetch", "enable", "disable", "delete"]) {
            await fails(() => other.apiKeys[call](_id), 404, "API key not found", "APIKeyNotFound");
        }
        assert.deepEqual(await other.apiKeys.fetchAll(), []);
        assert.equal((await owner.apiKeys.fetchAll()).length, 1);
    });
    await checks.check("API keys: names are unique, anonymous users have none", async () => {
        const user = await signUp();
        await user.apiKeys.create("twice");
        await fails(() => user.apiKeys.create("twice"), 409, /exists/, "APIKeyAlreadyExists");
        const anonymous = await client().logIn(Credentials.anonymous());
        await fails(() => anonymous.apiKeys.create("key"), 400, /anonymous/, "BadRequest");
    });
    await checks.check("API keys: gone with their user", async () => {
        const app = client();
        const email = newAddress();
        await app.emailPasswordAuth.registerUser({ email, password });
        const user = await app.logIn(Credentials.emailPassword(email, password));
        const { key } = await user.apiKeys.create("login");
        await app.deleteUser(user);
        await fails(() => client().logIn(Credentials.apiKey(key)), 401, "invalid API key", "AuthError");
    });
    await checks.check("API keys: calls without a user", async () => {
        const response = await fetch(`${context.server.url}/api/client/v2.0/auth/api_keys`);
        const body = await response.json();
        assert.deepEqual([response.status, body.error, body.error_code], [401, "must authenticate first", "MissingAuthReq"]);
    });
}
