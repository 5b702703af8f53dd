// Every remote collection call of realm-web, and watch, with and without rules that restrict.

import assert from "node:assert/strict";

import { fails } from "./harness.mjs";

const appId = "interop-documents-abcde";

export async function documentCases(context) {
    const { checks, client, Credentials, realm } = context;
    const { BSON } = realm;
    const signedIn = async () => client(appId).logIn(Credentials.anonymous());
    const collectionOf = (user, name = "open") => user.mongoClient("mongodb-atlas").db("app").collection(name);
    // A collection of its own for each check: documents are told apart by `run`.
    let runs = 0;
    const fresh = async () => {
        const user = await signedIn();
        const open = collectionOf(user);
        await open.deleteMany({});
        ++runs;
        return { user, open };
    };

    await checks.check("documents: insertOne, findOne and the types of values", async () => {
        const { open } = await fresh();
        const document = {
            text: "100% \"x\"\r\n", whole: 1, half: 0.5, yes: true, nothing: null, at: new Date(1700000000000), list: [1, "two", { three: 3 }],
            id: new BSON.ObjectId(), big: BSON.Long.fromString("9007199254740993"), exact: BSON.Decimal128.fromString("1.10"), nested: { a: { b: [] } },
        };
        const { insertedId } = await open.insertOne(document);
        assert.ok(insertedId instanceof BSON.ObjectId);
        const found = await open.findOne({ _id: insertedId });
        assert.equal(BSON.EJSON.stringify(found), BSON.EJSON.stringify({ _id: insertedId, ...document }));
    });
    await checks.check("documents: insertMany keeps order and ids", async () => {
        const { open } = await fresh();
        const { insertedIds } = await open.insertMany([{ _id: "b" }, { _id: 1 }, {}]);
        assert.deepEqual(insertedIds.slice(0, 2), ["b", 1]);
        assert.ok(insertedIds[2] instanceof BSON.ObjectId);
        await fails(() => open.insertOne({ _id: "b" }), 400, /Duplicate key error/, "MongoDBError");
    });
    await checks.check("documents: find with query, projection, sort and limit", async () => {
        const { open } = await fresh();
        await open.insertMany([{ _id: 1, a: 3 }, { _id: 2, a: 1 }, { _id: 3, a: 2 }]);
        assert.deepEqual(await open.find(), [{ _id: 1, a: 3 }, { _id: 2, a: 1 }, { _id: 3, a: 2 }]);
        assert.deepEqual(await open.find({ a: { $gte: 2 } }, { projection: { _id: 0, a: 1 }, sort: { a: 1 } }), [{ a: 2 }, { a: 3 }]);
        assert.deepEqual(await open.find({}, { sort: { a: -1 }, limit: 1 }), [{ _id: 1, a: 3 }]);
        assert.equal(await open.findOne({ a: 9 }), null);
        assert.equal(await open.count({ a: { $lt: 3 } }), 2);
        assert.equal(await open.count({}, { limit: 1 }), 1);
    });
    await checks.check("documents: aggregate", async () => {
        const { open } = await fresh();
        await open.insertMany([{ _id: 1, k: "x", n: 1 }, { _id: 2, k: "y", n: 2 }, { _id: 3, k: "x", n: 3 }]);
        const result = await open.aggregate([{ $match: { n: { $gt: 0 } } }, { $group: { _id: "$k", sum: { $sum: "$n" } } }, { $sort: { _id: 1 } }]);
        assert.deepEqual(result, [{ _id: "x", sum: 4 }, { _id: "y", sum: 2 }]);
        await fails(() => open.aggregate([{ $out: "x" }]), 400, /\$out/, "MongoDBError");
    });
    await checks.check("documents: updateOne, updateMany, upserts and array filters", async () => {
        const { open } = await fresh();
        await open.insertMany([{ _id: 1, g: [5, 9] }, { _id: 2, g: [7] }]);
        assert.deepEqual(await open.updateOne({ _id: 1 }, { $inc: { n: 1 } }), { matchedCount: 1, modifiedCount: 1 });
        assert.deepEqual(await open.updateMany({}, { $set: { "g.$[x]": 10 } }, { arrayFilters: [{ x: { $gte: 9 } }] }), { matchedCount: 2, modifiedCount: 1 });
        assert.deepEqual(await open.updateMany({}, { plain: true }), { matchedCount: 2, modifiedCount: 2 });
        assert.deepEqual(await open.find(), [{ _id: 1, plain: true }, { _id: 2, plain: true }]);
        const upserted = await open.updateOne({ _id: 9 }, { $set: { a: 1 } }, { upsert: true });
        assert.deepEqual(upserted, { matchedCount: 0, modifiedCount: 0, upsertedId: 9 });
        assert.deepEqual(await open.updateOne({ _id: 10 }, { $set: { a: 1 } }), { matchedCount: 0, modifiedCount: 0 });
    });
    await checks.check("documents: deleteOne and deleteMany", async () => {
        const { open } = await fresh();
        await open.insertMany([{ _id: 1 }, { _id: 2 }, { _id: 3 }]);
        assert.deepEqual(await open.deleteOne({ _id: { $gt: 1 } }), { deletedCount: 1 });
        assert.deepEqual(await open.deleteMany({}), { deletedCount: 2 });
        assert.deepEqual(await open.deleteMany({}), { deletedCount: 0 });
    });
    await checks.check("documents: findOneAndUpdate, findOneAndReplace, findOneAndDelete", async () => {
        const { open } = await fresh();
        await open.insertMany([{ _id: 1, a: 1 }, { _id: 2, a: 2 }]);
        assert.deepEqual(await open.findOneAndUpdate({ _id: 1 }, { $inc: { a: 10 } }), { _id: 1, a: 1 });
        assert.deepEqual(await open.findOneAndUpdate({ _id: 1 }, { $inc: { a: 1 } }, { returnNewDocument: true, projection: { a: 1, _id: 0 } }), { a: 12 });
        assert.deepEqual(await open.findOneAndReplace({}, { b: 1 }, { sort: { a: 1 }, returnNewDocument: true }), { _id: 2, b: 1 });
        assert.equal(await open.findOneAndUpdate({ _id: 5 }, { $set: { a: 1 } }), null);
        assert.deepEqual(await open.findOneAndUpdate({ _id: 5 }, { $set: { a: 1 } }, { upsert: true, returnNewDocument: true }), { _id: 5, a: 1 });
        assert.deepEqual(await open.findOneAndDelete({ a: 12 }), { _id: 1, a: 12 });
        assert.equal(await open.findOne({ a: 12 }), null);
    });
    await checks.check("documents: rules decide for each document and field", async () => {
        const ann = await signedIn();
        const bob = await signedIn();
        const annOwned = collectionOf(ann, "owned");
        const bobOwned = collectionOf(bob, "owned");
        await annOwned.insertOne({ _id: 1, owner: ann.id, shared: true, secret: 1, title: "t" });
        await annOwned.insertOne({ _id: 2, owner: ann.id, secret: 2 });
        assert.deepEqual(await bobOwned.find(), [{ _id: 1, owner: ann.id, shared: true, title: "t" }]);
        assert.deepEqual(await bobOwned.find({ secret: 1 }), []);
        assert.equal(await annOwned.count({ secret: { $gt: 0 } }), 2);
        await fails(() => bobOwned.insertOne({ owner: ann.id }), 403, "insert not permitted", "NoMatchingRuleFound");
        await fails(() => bobOwned.updateOne({}, { $set: { title: "x" } }), 403, "update not permitted", "NoMatchingRuleFound");
        await fails(() => bobOwned.deleteMany({}), 403, "delete not permitted", "NoMatchingRuleFound");
        await fails(() => collectionOf(bob, "other").find(), 403, /no rule exists/, "NoMatchingRuleFound");
        assert.deepEqual(await annOwned.deleteMany({}), { deletedCount: 2 });
    });
    await checks.check("documents: an unknown service is an error", async () => {
        const user = await signedIn();
        const elsewhere = user.mongoClient("elsewhere").db("app").collection("open");
        await fails(() => elsewhere.find(), 404, "service not found: 'elsewhere'", "ServiceNotFound");
    });

    // The next events of a watch; the stream is open when this returns.
    const watching = async (collection, options) => {
        const stream = collection.watch(options);
        const first = stream.next();
        // The request travels on its own: what is written before it arrives is not seen. A marker is written until it is.
        return { stream, first, next: () => stream.next().then((each) => each.value) };
    };
    const firstEvent = async (watch, write) => {
        let seen = false;
        watch.first.then(() => { seen = true; }, () => { seen = true; });
        for (let i = 0; !seen; ++i) {
            await write(i);
            await new Promise((done) => setTimeout(done, 20));
        }
        return (await watch.first).value;
    };

    await checks.check("watch: inserts, updates and deletes arrive", async () => {
        const { user, open } = await fresh();
        const watch = await watching(open);
        const first = await firstEvent(watch, (i) => open.insertOne({ _id: `m${i}`, text: "100%\r\n\\\"" }));
        assert.equal(first.operationType, "insert");
        assert.equal(first.fullDocument.text, "100%\r\n\\\"");
        assert.deepEqual(first.ns, { db: "app", coll: "open" });
        await open.insertOne({ _id: "last", a: 1 });
        await collectionOf(user).updateOne({ _id: "last" }, { $set: { a: 2 } });
        await open.deleteOne({ _id: "last" });
        const kinds = [];
        for (let event = await watch.next(); ; event = await watch.next()) {
            if (event.documentKey._id === "last") {
                kinds.push(event.operationType);
                if (event.operationType === "update") {
                    assert.deepEqual(event.updateDescription, { updatedFields: { a: 2 }, removedFields: [] });
                    assert.deepEqual(event.fullDocument, { _id: "last", a: 2 });
                }
                if (event.operationType === "delete") {
                    break;
                }
            }
        }
        assert.deepEqual(kinds, ["insert", "update", "delete"]);
        await watch.stream.return();
    });
    await checks.check("watch: ids and filters", async () => {
        const { open } = await fresh();
        const byId = await watching(open, { ids: [1, "two"] });
        assert.equal((await firstEvent(byId, async (i) => {
            await open.insertOne({ _id: `other${i}` });
            await open.findOneAndReplace({ _id: 1 }, { i }, { upsert: true });
        })).documentKey._id, 1);
        const byFilter = await watching(open, { filter: { $or: [{ "fullDocument.wanted": true }] } });
        const found = await firstEvent(byFilter, async (i) => {
            await open.insertOne({ _id: `no${i}`, wanted: false });
            await open.insertOne({ _id: `yes${i}`, wanted: true });
        });
        assert.match(found.documentKey._id, /^yes/);
        await byId.stream.return();
        await byFilter.stream.return();
    });
    await checks.check("watch: rules hide documents and fields", async () => {
        const ann = await signedIn();
        const bob = await signedIn();
        const annOwned = collectionOf(ann, "owned");
        const watch = await watching(collectionOf(bob, "owned"));
        const event = await firstEvent(watch, async (i) => {
            await annOwned.insertOne({ _id: `hidden${i}`, owner: ann.id });
            await annOwned.insertOne({ _id: `seen${i}`, owner: ann.id, shared: true, secret: 1 });
        });
        assert.match(event.documentKey._id, /^seen/);
        assert.deepEqual(event.fullDocument, { _id: event.documentKey._id, owner: ann.id, shared: true });
        await watch.stream.return();
        await assert.rejects(() => collectionOf(bob, "other").watch().next(), /403/);
    });
}
