exports = async (action, ...args) => {
    const notes = context.services.get("mongodb-atlas").db("app").collection("Note");
    const result = notes[action](...args);
    return typeof result.toArray === "function" ? result.toArray() : result;
};
