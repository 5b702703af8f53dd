exports = async function ({ id, name, refuse }) {
    if (refuse) {
        throw new Error(`refused: ${refuse}`);
    }
    return name ? { id, name } : id;
};
