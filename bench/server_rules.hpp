#pragma once

// rule_cost: find of 1,000 documents under a three-role collection with filters and field
// permissions, up to the text of the answer, against the same find by the system.

namespace tombolo::bench {

void bench_rules();

} // namespace tombolo::bench
