#pragma once

// One call in one worker, from the run frame to its result or failure.

#include <map>
#include <string>

#include "server/functions/app_functions.hpp"
#include "server/functions/functions.hpp"
#include "server/functions/workers.hpp"

namespace tombolo::functions {

/// What a call needs, all borrowed.
struct RunInput {
    const Call& call;
    const std::string& arguments; ///< canonical Extended JSON
    const Caller& caller;         ///< as whom it runs
    const std::map<std::string, std::string>& secrets;
    const Seams& seams;
    const FunctionOptions& options;
};

/// Fills the outcome's result or failure, and its logs, within the time limit. True when the worker
/// is good for another call.
bool run_in(Worker& worker, const RunInput& input, Outcome& outcome);

} // namespace tombolo::functions
