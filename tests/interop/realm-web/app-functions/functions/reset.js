exports = ({ username, password, currentPasswordValid }, question, answer) => {
    if (question === "current") {
        return { status: currentPasswordValid ? "success" : "fail" };
    }
    return { status: question === username && answer === 42 ? "success" : "fail" };
};
