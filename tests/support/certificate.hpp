#pragma once

// Certificates for tests of TLS.

#include <string>

#include "support/temporary_folder.hpp"

namespace tombolo::testing {

/// A self-signed certificate with that common name: cert.pem and key.pem in the folder.
void write_certificate(const TemporaryFolder& folder, const std::string& name);

} // namespace tombolo::testing
