exports = async (action, ...args) => {
    try {
        return await context.functions.execute("notes", action, ...args);
    } catch (error) {
        return { code: error.code, name: error.name };
    }
};
