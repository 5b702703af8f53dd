#pragma once

// Order-preserving bytes of BSON values: memcmp of two encodings is MongoDB's comparison of the two
// values.
//
//   encoding = rank byte, then by type
//   number     8 bytes: bits of the greatest double <= value, made to sort as unsigned big-endian;
//   then 0x00 when the
//              value is that double, else 0x01 and the exact decimal (see append_exact_tail)
//   string     bytes with 0x00 written 0x00 0xff, ended by 0x00 0x01 (symbols are strings)
//   object     each field: rank byte of the value, name as a string, value; ended by 0x00
//   array      each element's encoding; ended by 0x00
//   binary     4 bytes length, subtype, bytes
//   ObjectId   12 bytes      bool  1 byte
//   date, timestamp   8 bytes big-endian, the sign bit flipped for dates
//   regex      pattern and options as strings
//
// Every encoding is self-terminating, so encodings can follow one another in a compound key, and
// none is the beginning of another. Values that compare equal (1, 1.0, NumberDecimal("1")) have
// equal encodings.

#include <string>

#include "mql/bson_value.hpp"

namespace tombolo::store {

/// Appends the encoding. Missing and undefined encode as null.
void append_value_key(std::string& out, mql::BsonView value);

/// Number of bytes of the encoding at the start of `key`, or 0 when it is not one.
std::size_t value_key_size(std::string_view key) noexcept;

} // namespace tombolo::store
