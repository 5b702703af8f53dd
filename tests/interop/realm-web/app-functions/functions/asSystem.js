exports = () => context.runningAsSystem();
