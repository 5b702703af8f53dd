exports = async () => {
    const notes = context.services.get("mongodb-atlas").db("app").collection("Note");
    const mine = () => notes.find({ kind: "cursor" }).sort({ n: -1 });
    const seen = [];
    await mine().forEach(({ n }) => seen.push(n));
    const cursor = mine();
    return {
        seen, skipped: (await mine().skip(1).limit(1).toArray()).map(({ n }) => n), first: (await cursor.next()).n, second: (await cursor.next()).n,
        distinct: (await notes.distinct("n", { kind: "cursor" })).sort(), count: await notes.count({ kind: "cursor" }),
        sum: (await notes.aggregate([{ $match: { kind: "cursor" } }, { $group: { _id: null, sum: { $sum: "$n" } } }]).next()).sum,
    };
};
