exports = (kind) => {
    if (kind === "text") {
        throw "only text";
    }
    if (kind === "later") {
        return Promise.reject(new Error("later"));
    }
    throw new TypeError("no good");
};
