// Changes one field of an item, as an app's server-side code does.
exports = async (id, name) =>
    context.services
        .get("mongodb-atlas")
        .db("app")
        .collection("Item")
        .updateOne({ _id: id }, { $set: { name } });
