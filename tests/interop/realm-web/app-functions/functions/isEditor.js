exports = (name) => name === "Editor";
