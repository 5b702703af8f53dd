// Runs the text-driven cases of tests/cases/mql through mql_eval and through mingo and compares the results.
//
//     node tests/interop/mql/compare.mjs --eval build/release/bin/mql_eval --modules DIR/node_modules [--verbose] [FILE...]
//
// Cases that expect an error are ours alone: mingo accepts most wrong specs. Cases whose values mingo cannot hold (values.mjs) are
// counted apart. Every other difference must stand in known_differences.json, at most 20 rows of {documentation, behaviour,
// difference, cases}, each with the cases of one cause; a listed case that no longer differs, or does not exist, is a failure.

import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { canonical, NotComparable, toValue } from "./values.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const rowsMax = 20;

function parseArguments(argv) {
    const parsed = { files: [], verbose: false };
    for (let i = 0; i < argv.length; ++i) {
        if (argv[i] === "--eval") {
            parsed.eval = argv[++i];
        } else if (argv[i] === "--modules") {
            parsed.modules = argv[++i];
        } else if (argv[i] === "--verbose") {
            parsed.verbose = true;
        } else {
            parsed.files.push(argv[i]);
        }
    }
    if (!parsed.eval || !parsed.modules) {
        console.error("usage: compare.mjs --eval MQL_EVAL --modules NODE_MODULES [--verbose] [FILE...]");
        process.exit(2);
    }
    if (parsed.files.length === 0) {
        const folder = join(here, "../../cases/mql");
        parsed.files = readdirSync(folder).filter((name) => name.endsWith(".jsonl")).sort()
            .map((name) => join(folder, name));
    }
    return parsed;
}

async function loadMingo(modules) {
    const folder = join(resolve(modules), "mingo");
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const wanted = JSON.parse(readFileSync(join(here, "package.json"), "utf8")).dependencies.mingo;
    if (manifest.version !== wanted) {
        console.error(`mingo ${manifest.version} is installed, ${wanted} is needed`);
        process.exit(2);
    }
    return import(pathToFileURL(join(folder, manifest.main)));
}

function readCases(files) {
    const cases = [];
    for (const file of files) {
        for (const line of readFileSync(file, "utf8").split("\n")) {
            if (line.startsWith("{")) {
                cases.push({ line, test: JSON.parse(line) });
            }
        }
    }
    return cases;
}

function runOurs(program, cases) {
    const run = spawnSync(program, [], {
        input: cases.map(({ line }) => line).join("\n") + "\n",
        encoding: "utf8",
        maxBuffer: 1 << 30,
    });
    if (run.status !== 0) {
        console.error(`mql_eval failed (${run.status ?? run.signal}): ${run.stderr}`);
        process.exit(1);
    }
    const answers = run.stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
    if (answers.length !== cases.length) {
        console.error(`mql_eval gave ${answers.length} answers to ${cases.length} cases`);
        process.exit(1);
    }
    return answers;
}

function runUpdate(mingo, docs, spec, options) {
    const filter = options.filter ?? {};
    const arrayFilters = options.arrayFilters ?? [];
    if (options.upsert) {
        throw new NotComparable("an upsert");
    }
    return docs.map((doc) => {
        const one = [doc];
        mingo.updateOne(one, filter, spec, { arrayFilters, cloneMode: "deep" });
        return one[0];
    });
}

function runMingo(mingo, test) {
    if (test.options?.now) {
        throw new NotComparable("a given clock");
    }
    const docs = toValue(test.docs);
    const spec = toValue(test.spec);
    const options = toValue(test.options ?? {});
    const settings = { collectionResolver: (name) => options.foreign?.[name] ?? [] };
    switch (test.kind) {
    case "filter":
        return mingo.find(docs, spec).all();
    case "projection":
        return mingo.find(docs, options.filter ?? {}, spec).all();
    case "sort":
        return mingo.find(docs, {}).sort(spec).all();
    case "update":
        return runUpdate(mingo, docs, spec, options);
    case "pipeline":
        return mingo.aggregate(docs, spec, settings);
    default:
        throw new Error(`unknown kind ${test.kind}`);
    }
}

/// "same", "error case", "not comparable: why", or "differs" with both sides.
function compare(mingo, test, answer) {
    if (test.expect && !Array.isArray(test.expect)) {
        return { outcome: "error" };
    }
    let theirs;
    try {
        theirs = canonical(runMingo(mingo, test));
    } catch (error) {
        if (error instanceof NotComparable) {
            return { outcome: "incomparable", why: error.message };
        }
        theirs = `error: ${error.message}`;
    }
    let ours;
    try {
        ours = answer.error === undefined ? canonical(toValue(answer.result)) : `error: ${answer.error}`;
    } catch (error) {
        return { outcome: "incomparable", why: error.message };
    }
    const bothRefuse = ours.startsWith("error: ") && theirs.startsWith("error: ");
    return ours === theirs || bothRefuse ? { outcome: "same" } : { outcome: "differs", ours, theirs };
}

function readKnown() {
    const rows = JSON.parse(readFileSync(join(here, "known_differences.json"), "utf8"));
    const names = new Map();
    for (const row of rows) {
        for (const name of row.cases) {
            names.set(name, row);
        }
    }
    return { rows, names };
}

async function main() {
    const settings = parseArguments(process.argv.slice(2));
    const mingo = await loadMingo(settings.modules);
    const cases = readCases(settings.files);
    const answers = runOurs(settings.eval, cases);
    const known = readKnown();
    const counts = { same: 0, differs: 0, error: 0, incomparable: 0 };
    const failures = [];
    const seen = new Set();
    cases.forEach(({ test }, index) => {
        const result = compare(mingo, test, answers[index]);
        ++counts[result.outcome];
        const key = `${test.kind}: ${test.name}`;
        if (result.outcome === "differs" && !known.names.has(key)) {
            failures.push(`${key}\n    tombolo ${result.ours}\n    mingo   ${result.theirs}`);
        } else if (result.outcome === "differs") {
            seen.add(key);
        } else if (result.outcome === "incomparable" && settings.verbose) {
            console.log(`not comparable: ${key}: ${result.why}`);
        }
    });
    for (const name of known.names.keys()) {
        if (!seen.has(name)) {
            failures.push(`${name}\n    stands in known_differences.json but does not differ`);
        }
    }
    if (known.rows.length > rowsMax) {
        failures.push(`known_differences.json has ${known.rows.length} rows; at most ${rowsMax} are allowed`);
    }
    for (const failure of failures) {
        console.log(`FAILED ${failure}`);
    }
    console.log(`${cases.length} cases: ${counts.same} same, ${counts.differs} different (${seen.size} known, ` +
        `in ${known.rows.length} rows), ${counts.error} error cases and ${counts.incomparable} with values that ` +
        "mingo does not have (ours alone)");
    process.exit(failures.length === 0 ? 0 : 1);
}

await main();
