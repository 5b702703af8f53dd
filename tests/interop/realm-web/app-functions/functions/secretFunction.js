exports = () => "hidden";
