exports = ({ token, tokenId, username }) => {
    const [status] = username.split("-");
    if (status === "pending") {
        console.log(JSON.stringify({ token, tokenId }));
    }
    return { status: status === "success" ? "success" : status === "pending" ? "pending" : "fail" };
};
