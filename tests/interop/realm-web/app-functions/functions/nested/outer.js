exports = async (value) => [await context.functions.execute("secretFunction"), await context.functions.execute("sum", value, 1)];
