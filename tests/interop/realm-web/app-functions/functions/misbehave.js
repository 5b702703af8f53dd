exports = (kind) => {
    if (kind === "exit") {
        process.reallyExit(0);
    } else if (kind === "kill") {
        process.kill(process.pid, "SIGKILL");
    } else if (kind === "memory") {
        for (const all = []; ;) {
            all.push(new Array(1000).fill({}));
        }
    } else if (kind === "output") {
        return "x".repeat(17 * 1024 * 1024);
    }
    for (;;);
};
