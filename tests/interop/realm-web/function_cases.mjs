// User functions, and the functions that sign users in, confirm and reset them.

import assert from "node:assert/strict";

import { fails } from "./harness.mjs";

const appId = "interop-functions-abcde";
const password = "correct horse";

export async function functionCases(context) {
    const { checks, client, Credentials, realm } = context;
    const { BSON } = realm;
    const signedIn = async () => client(appId).logIn(Credentials.anonymous());

    await checks.check("functions: arguments of every type come back", async () => {
        const user = await signedIn();
        const args = [
            "text", "", true, null, 1, -1.5, 2 ** 40, [1, ["two"]], { a: { b: [] } }, new Date(0), new Date("1901-02-03T04:05:06.789Z"),
            new BSON.ObjectId("0123456789abcdef01234567"), BSON.Long.fromString("9223372036854775807"), BSON.Decimal128.fromString("1.10"),
            new BSON.Binary(Buffer.from([1, 2, 3])), new BSON.Binary(Buffer.alloc(16, 7), 4), new BSON.Timestamp(1, 2), new BSON.MinKey(), new BSON.MaxKey(),
            new BSON.BSONRegExp("^a", "i"),
        ];
        const result = await user.functions.echo(...args);
        assert.equal(result.length, args.length);
        for (const [at, value] of args.entries()) {
            assert.equal(BSON.EJSON.stringify([result[at]]), BSON.EJSON.stringify([value]), `argument ${at}`);
        }
    });
    await checks.check("functions: called by name and as a member", async () => {
        const user = await signedIn();
        assert.equal(await user.callFunction("sum", 1, 2, 3, 4, 5), 15);
        assert.equal(await user.functions.sum(1.5, 1), 2.5);
        assert.deepEqual(await user.callFunction("nested/outer", 41), ["hidden", 42]);
    });
    await checks.check("functions: the context", async () => {
        const user = await client(appId).logIn(Credentials.function({ id: "context-user", name: "Ann" }));
        const { agent, greeting, ...rest } = await user.functions.whoami();
        assert.deepEqual(rest, { id: user.id, type: "normal", identity: "custom-function", name: "Ann", system: false, limit: 7 });
        assert.equal(typeof agent, "string");
        assert.equal(await user.functions.asSystem(), true);
    });
    await checks.check("functions: errors", async () => {
        const user = await signedIn();
        await fails(() => user.functions.throws(), 400, "no good", "FunctionExecutionError");
        await fails(() => user.functions.throws("text"), 400, "only text", "FunctionExecutionError");
        await fails(() => user.functions.throws("later"), 400, "later", "FunctionExecutionError");
        await fails(() => user.functions.missing(), 404, "function not found: 'missing'", "FunctionNotFound");
        await fails(() => user.functions.secretFunction(), 404, "function not found: 'secretFunction'", "FunctionNotFound");
        await fails(() => client().logIn(Credentials.anonymous()).then((other) => other.functions.sum(1)), 404, "function not found: 'sum'", "FunctionNotFound");
    });
    await checks.check("functions: data sources under the caller's rules, or as the system", async () => {
        const [ann, bob] = [await signedIn(), await signedIn()];
        for (const user of [ann, bob]) {
            const { insertedId } = await user.functions.notes("insertOne", { owner: user.id, kind: "shared", text: "mine" });
            assert.ok(insertedId instanceof BSON.ObjectId);
            await fails(() => user.functions.notes("insertOne", { owner: "somebody else", kind: "shared" }), 400, /./, "FunctionExecutionError");
        }
        const query = { kind: "shared" };
        assert.deepEqual((await ann.functions.notes("find", query)).map(({ owner }) => owner), [ann.id]);
        assert.deepEqual(await ann.functions.notes("updateMany", query, { $set: { text: "changed" } }), { matchedCount: 1, modifiedCount: 1 });
        assert.equal((await ann.functions.allNotes("find", query)).length, 2);
        assert.equal((await bob.functions.notes("findOne", query)).text, "mine");
        assert.equal(await bob.functions.notes("count", query), 1);
        assert.equal((await bob.functions.notes("findOneAndUpdate", query, { $set: { text: "new" } }, { returnNewDocument: true })).text, "new");
        assert.deepEqual(await ann.functions.allNotes("insertMany", [{ _id: 1 }, { _id: 1 }]), { code: 11000, name: "MongoError" });
        assert.deepEqual(await bob.functions.notes("deleteMany", query), { deletedCount: 1 });
        await fails(() => bob.functions.notes("aggregate", [{ $nothing: 1 }]), 400, /./, "FunctionExecutionError");
    });
    await checks.check("functions: cursors", async () => {
        const user = await signedIn();
        await user.functions.notes("insertMany", [1, 2, 3, 3].map((n) => ({ owner: user.id, kind: "cursor", n })));
        assert.deepEqual(await user.functions.cursors(), { seen: [3, 3, 2, 1], skipped: [3], first: 3, second: 3, distinct: [1, 2, 3], count: 4, sum: 9 });
    });
    await checks.check("functions: rules ask them", async () => {
        const drafts = (user) => user.mongoClient("mongodb-atlas").db("app").collection("Draft");
        const editor = await client(appId).logIn(Credentials.function({ id: "editor", name: "Editor" }));
        const reader = await client(appId).logIn(Credentials.function({ id: "reader", name: "Reader" }));
        await drafts(editor).insertOne({ text: "draft" });
        assert.equal((await drafts(editor).find({})).length, 1);
        await fails(() => drafts(reader).insertOne({ text: "draft" }), 403, /./, "NoMatchingRuleFound");
    });
    await checks.check("functions: custom data of a new user is in the first token", async () => {
        const user = await client(appId).logIn(Credentials.function({ id: "created", name: "Cleo" }));
        assert.equal(user.customData.greeting, "hello Cleo");
        const again = await client(appId).logIn(Credentials.function({ id: "created", name: "Cleo" }));
        assert.equal(again.id, user.id);
        assert.equal((await user.functions.whoami()).greeting, "hello Cleo");
    });
    await checks.check("functions: one that misbehaves takes nothing with it", async () => {
        const user = await signedIn();
        await Promise.all([
            fails(() => user.functions.misbehave("exit"), 400, /process ended/, "FunctionExecutionError"),
            fails(() => user.functions.misbehave("kill"), 400, /killed by signal 9/, "FunctionExecutionError"),
            fails(() => user.functions.misbehave("memory"), 400, /memory limit exceeded/, "FunctionExecutionError"),
            fails(() => user.functions.misbehave("output"), 400, /longer than/, "FunctionExecutionError"),
            fails(() => user.functions.misbehave("loop"), 400, /time limit exceeded/, "ExecutionTimeLimitExceeded"),
            user.functions.sum(1, 2).then((sum) => assert.equal(sum, 3)),
        ]);
        assert.equal(await user.functions.sum(2, 2), 4);
    });
    await checks.check("custom function: the same id is the same user", async () => {
        const first = await client(appId).logIn(Credentials.function({ id: "someone" }));
        const again = await client(appId).logIn(Credentials.function({ id: "someone", name: "Someone" }));
        const other = await client(appId).logIn(Credentials.function({ id: "someone else" }));
        assert.equal(first.id, again.id);
        assert.notEqual(first.id, other.id);
        assert.equal(again.profile.name, "Someone");
        assert.deepEqual(again.identities.map(({ id, providerType }) => [id, providerType]), [["someone", "custom-function"]]);
        await again.refreshAccessToken();
    });
    await checks.check("custom function: refusals", async () => {
        await fails(() => client(appId).logIn(Credentials.function({ refuse: "you" })), 401, "refused: you", "AuthError");
        await fails(() => client(appId).logIn(Credentials.function({ id: 7 })), 401, /must return/, "AuthError");
        await fails(() => client(appId).logIn(Credentials.function({})), 401, /must return/, "AuthError");
    });
    await checks.check("confirmation function: success, pending, fail", async () => {
        const { emailPasswordAuth } = client(appId);
        const [success, pending, refused] = ["success", "pending", "fail"].map((status) => `${status}-${context.newAddress()}`);
        await emailPasswordAuth.registerUser({ email: success, password });
        await client(appId).logIn(Credentials.emailPassword(success, password));
        await emailPasswordAuth.registerUser({ email: pending, password });
        await fails(() => client(appId).logIn(Credentials.emailPassword(pending, password)), 401, "confirmation required", "AuthError");
        await emailPasswordAuth.retryCustomConfirmation({ email: pending });
        await fails(() => emailPasswordAuth.resendConfirmationEmail({ email: pending }), 400, "please use confirmation via function", "BadRequest");
        for (let time = 0; time < 2; ++time) {
            await fails(() => emailPasswordAuth.registerUser({ email: refused, password }), 400, `failed to confirm user "${refused}"`, "BadRequest");
        }
        await fails(() => emailPasswordAuth.retryCustomConfirmation({ email: success }), 400, "already confirmed", "UserAlreadyConfirmed");
        await fails(() => emailPasswordAuth.retryCustomConfirmation({ email: "nobody@example.com" }), 404, "user not found", "UserNotFound");
    });
    await checks.check("reset function: with arguments", async () => {
        const { emailPasswordAuth } = client(appId);
        const email = `success-${context.newAddress()}`;
        await emailPasswordAuth.registerUser({ email, password });
        const user = await client(appId).logIn(Credentials.emailPassword(email, password));
        const changed = { email, password: "another horse" };
        await fails(() => emailPasswordAuth.callResetPasswordFunction(changed), 400, `failed to reset password for user "${email}"`, "BadRequest");
        await fails(() => emailPasswordAuth.callResetPasswordFunction(changed, "current"), 400, /failed to reset/, "BadRequest");
        await emailPasswordAuth.callResetPasswordFunction({ email, password }, "current");
        await emailPasswordAuth.callResetPasswordFunction(changed, email, 42);
        await fails(() => client(appId).logIn(Credentials.emailPassword(email, password)), 401, "unauthorized", "InvalidPassword");
        assert.equal((await client(appId).logIn(Credentials.emailPassword(email, "another horse"))).id, user.id);
        await fails(() => emailPasswordAuth.sendResetPasswordEmail({ email }), 400, "please use reset password via function", "BadRequest");
        await fails(() => emailPasswordAuth.callResetPasswordFunction({ email: "nobody@example.com", password }), 404, "user not found", "UserNotFound");
    });
}
