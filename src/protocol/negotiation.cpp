#include "protocol/negotiation.hpp"

#include <optional>

#include "protocol/limits.hpp"
#include "protocol/wire_text.hpp"

namespace tombolo::protocol {

namespace {

/// Spaces and tabs around a token of a header list.
std::string_view trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) {
        return {};
    }
    return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::optional<Dialect> parse_token(std::string_view token) {
    for (const SyncMode mode : {SyncMode::flexible, SyncMode::partition}) {
        const std::string_view prefix = subprotocol_prefix(mode);
        if (token.substr(0, prefix.size()) != prefix) {
            continue;
        }
        const auto version = detail::parse_unsigned(
            token.substr(prefix.size()), static_cast<std::uint64_t>(newest_protocol_version));
        if (version && *version >= static_cast<std::uint64_t>(oldest_protocol_version)) {
            return Dialect{static_cast<ProtocolVersion>(*version), mode};
        }
    }
    return std::nullopt;
}

} // namespace

std::string_view subprotocol_prefix(SyncMode mode) noexcept {
    return mode == SyncMode::flexible ? flexible_subprotocol_prefix : partition_subprotocol_prefix;
}

std::string subprotocol_token(Dialect dialect) {
    return std::string(subprotocol_prefix(dialect.mode)) +
           std::to_string(static_cast<unsigned>(dialect.version));
}

std::string subprotocol_offer(SyncMode mode) {
    std::string offer;
    for (auto version = static_cast<unsigned>(newest_protocol_version);
         version >= static_cast<unsigned>(oldest_protocol_version); --version) {
        offer += offer.empty() ? "" : ", ";
        offer += subprotocol_token({static_cast<ProtocolVersion>(version), mode});
    }
    return offer;
}

Result<Dialect> negotiate_subprotocol(std::string_view offer) {
    if (offer.size() > limits::subprotocol_list_bytes_max) {
        return Error(ErrorCode::limit_exceeded, "the list of subprotocols is too long");
    }
    std::optional<Dialect> best;
    while (!offer.empty()) {
        const std::size_t end = std::min(offer.find(','), offer.size());
        const auto offered = parse_token(trimmed(offer.substr(0, end)));
        if (offered && (!best || offered->version > best->version)) {
            best = offered;
        }
        offer.remove_prefix(std::min(end + 1, offer.size()));
    }
    if (!best) {
        return Error(ErrorCode::unsupported,
                     "no common sync protocol version: this server speaks " +
                         subprotocol_offer(SyncMode::flexible) + " and " +
                         subprotocol_offer(SyncMode::partition));
    }
    return *best;
}

Result<Dialect> parse_subprotocol_answer(std::string_view answer, SyncMode mode) {
    const auto chosen = parse_token(answer);
    if (!chosen || chosen->mode != mode) {
        return Error(ErrorCode::unsupported,
                     "the server did not choose one of the offered sync protocol versions: " +
                         subprotocol_offer(mode));
    }
    return *chosen;
}

} // namespace tombolo::protocol
