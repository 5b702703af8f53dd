exports = function (...args) {
    return args.reduce((sum, one) => sum + one, 0);
};
