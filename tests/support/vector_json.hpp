#pragma once

// Values, instructions and states in the JSON notation of the golden vectors
// (tests/vectors/README.md).
//
// Only the way out (ours to JSON) exists: a vector is checked by printing what we have and
// comparing JSON documents, so that an error in a reader cannot hide an error in what it reads.

#include <string>

#include <boost/json/value.hpp>

#include "changeset/changeset.hpp"
#include "changeset/memory_state.hpp"
#include "core/primary_key.hpp"
#include "core/value.hpp"

namespace tombolo::testing {

boost::json::value key_to_json(const PrimaryKeyView& key);

/// A scalar or link as a payload: links are always "l".
boost::json::value scalar_to_json(const ScalarView& value);

boost::json::object instruction_to_json(const changeset::Changeset& changeset,
                                        const changeset::Instruction& instruction);
boost::json::array instructions_to_json(const changeset::Changeset& changeset);

/// "State form" of the README: links to objects that are not live are "lu"; sets and objects are in
/// the order of canonical().
boost::json::object state_to_json(const changeset::MemoryState& state);

/// The state as we print it: elements of every set, and objects of every class, sorted by their
/// JSON text, so that states of different writers can be compared with ==.
boost::json::value canonical(boost::json::value state);

} // namespace tombolo::testing
