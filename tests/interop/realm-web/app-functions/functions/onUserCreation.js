exports = async (user) => {
    const users = context.services.get("mongodb-atlas").db("app").collection("User");
    await users.insertOne({ user_id: user.id, greeting: `hello ${user.data.name ?? "stranger"}` });
};
