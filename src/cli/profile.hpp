#pragma once

// Profiles: which server, who is logged in there, and the session's tokens.
//
// A profile is a YAML file of one mapping under the profile's name, as the App Services CLI keeps
// it: $XDG_CONFIG_HOME/tombolo/<profile>.yaml, mode 0600 in a folder of mode 0700. Passwords and
// private keys are never written. Only the form that write_profile() makes is read: one level,
// scalars, quoted or plain.

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace tombolo::cli {

struct Profile {
    std::string base_url;
    std::string username;       ///< empty when logged in with an API key
    std::string public_api_key; ///< likewise the other way round
    std::string access_token;
    std::string refresh_token;
    std::string ca_file;

    bool logged_in() const noexcept { return !refresh_token.empty(); }
};

/// Answers an environment variable; empty when it is not set.
using Environment = std::function<std::string(const char* name)>;

/// A name that can be a file's: letters, digits, '-', '_' and '.', not starting with '.'.
bool is_profile_name(std::string_view name) noexcept;

/// The folder of profiles; invalid_argument when neither XDG_CONFIG_HOME nor HOME is set.
Result<std::string> profile_folder(const Environment& environment);

/// An absent file is an empty profile. invalid_argument names file and line of what cannot be read.
Result<Profile> read_profile(const std::string& folder, const std::string& name);
/// Replaces the file in one step.
Result<void> write_profile(const std::string& folder, const std::string& name,
                           const Profile& profile);
/// Names, sorted.
std::vector<std::string> profile_names(const std::string& folder);

/// The text form, for tests and fuzzing. Unknown keys are ignored.
Result<Profile> parse_profile(std::string_view text);
std::string print_profile(const std::string& name, const Profile& profile);

} // namespace tombolo::cli
