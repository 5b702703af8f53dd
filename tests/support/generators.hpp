#pragma once

// RapidCheck generators of core values, shared by the tests of every layer. They lean towards the
// edges: equal numbers of different types, NaNs, ends of ranges.

#include <rapidcheck.h>

#include "core/value.hpp"

namespace tombolo::testing {

/// Any 128 bits that are a decimal in canonical form; often zero, infinite, subnormal, at the
/// largest exponent, or short.
rc::Gen<Decimal128> any_decimal();

/// Any double: small integers, halves, any bits, infinities, NaNs.
rc::Gen<double> any_double();

rc::Gen<Timestamp> any_timestamp();

/// Well-formed UTF-8, may hold NUL.
rc::Gen<std::string> any_text();

rc::Gen<PrimaryKey> any_primary_key();

/// A scalar or link of any type; numbers are drawn so that equal ones of different types are
/// frequent.
rc::Gen<Value> any_scalar();

/// A scalar, or a collection nested at most `depth` levels.
rc::Gen<Value> any_value(int depth);

} // namespace tombolo::testing
