// Subprotocols and the end of connections (sync-protocol.md 1.2 to 1.7).

#include <string>

#include <gtest/gtest.h>

#include "protocol/close_codes.hpp"
#include "protocol/negotiation.hpp"

namespace tombolo::protocol::test {

TEST(Negotiation, s2_version_14_is_chosen_whenever_offered) {
    std::string offer;
    for (int version = 14; version >= 2; --version) {
        offer += (offer.empty() ? "" : ", ") +
                 ("com.mongodb.realm-query-sync#" + std::to_string(version));
    }
    const Dialect chosen = negotiate_subprotocol(offer).value();
    EXPECT_EQ(chosen, (Dialect{ProtocolVersion::v14, SyncMode::flexible}));
    EXPECT_EQ(subprotocol_token(chosen), "com.mongodb.realm-query-sync#14");
}

TEST(Negotiation, s2_highest_common_version_in_any_order) {
    EXPECT_EQ(negotiate_subprotocol(
                  "com.mongodb.realm-sync#2,com.mongodb.realm-sync#12 ,\tcom.mongodb.realm-sync#11")
                  .value(),
              (Dialect{ProtocolVersion::v12, SyncMode::partition}));
    EXPECT_EQ(negotiate_subprotocol("com.mongodb.realm-sync#15, com.mongodb.realm-sync#13").value(),
              (Dialect{ProtocolVersion::v13, SyncMode::partition}));
}

TEST(Negotiation, unknown_tokens_are_ignored) {
    EXPECT_EQ(
        negotiate_subprotocol("chat, , ,com.mongodb.realm-query-sync#13,x#14").value().version,
        ProtocolVersion::v13);
}

TEST(Negotiation, nothing_in_common_is_an_error) {
    for (const char* offer :
         {"", ",", "chat", "com.mongodb.realm-query-sync#10", "com.mongodb.realm-query-sync#15",
          "com.mongodb.realm-query-sync/7", "com.mongodb.realm-query-sync#014",
          "com.mongodb.realm-query-sync#14x", "com.mongodb.realm-query-sync#11-14",
          "com.mongodb.realm-query-sync#-14", "com.mongodb.realm-query-sync# 14"}) {
        EXPECT_EQ(negotiate_subprotocol(offer).error().code(), ErrorCode::unsupported) << offer;
    }
    EXPECT_EQ(negotiate_subprotocol(std::string(9000, ',')).error().code(),
              ErrorCode::limit_exceeded);
}

TEST(Negotiation, c1_client_offers_high_to_low) {
    EXPECT_EQ(subprotocol_offer(SyncMode::flexible),
              "com.mongodb.realm-query-sync#14, com.mongodb.realm-query-sync#13, "
              "com.mongodb.realm-query-sync#12, com.mongodb.realm-query-sync#11");
    EXPECT_EQ(negotiate_subprotocol(subprotocol_offer(SyncMode::partition)).value(),
              (Dialect{ProtocolVersion::v14, SyncMode::partition}));
}

TEST(Negotiation, c1_client_rejects_an_answer_outside_its_prefix_or_range) {
    EXPECT_EQ(
        parse_subprotocol_answer("com.mongodb.realm-query-sync#12", SyncMode::flexible).value(),
        (Dialect{ProtocolVersion::v12, SyncMode::flexible}));
    for (const char* answer :
         {"", "com.mongodb.realm-sync#14", "com.mongodb.realm-query-sync#14 ",
          "com.mongodb.realm-query-sync#14, com.mongodb.realm-query-sync#13",
          "com.mongodb.realm-query-sync#10", "com.mongodb.realm-query-sync#15"}) {
        EXPECT_FALSE(parse_subprotocol_answer(answer, SyncMode::flexible)) << answer;
    }
}

TEST(CloseCodes, reactions_of_the_published_client) {
    EXPECT_FALSE(close_reaction(1000, true).action);
    EXPECT_EQ(close_reaction(1002, true).status, "SyncProtocolInvariantFailed");
    EXPECT_EQ(close_reaction(1006, true).action, ErrorAction::refresh_user);
    EXPECT_EQ(close_reaction(1009, true),
              (CloseReaction{ErrorAction::client_reset, "LimitExceeded", false}));
    EXPECT_EQ(close_reaction(1011, true).action, ErrorAction::transient);
    EXPECT_EQ(close_reaction(1015, true).status, "TlsHandshakeFailed");
    EXPECT_EQ(close_reaction(4001, true).action, ErrorAction::refresh_user);
    EXPECT_EQ(close_reaction(4002, true),
              (CloseReaction{ErrorAction::log_out_user, "AuthError", true}));
    EXPECT_EQ(close_reaction(4003, true).action, ErrorAction::refresh_location);
}

TEST(CloseCodes, unknown_ones_mean_policy_violation) {
    for (const int code : {0, 999, 1012, 3000, 4000, 4999, 65535}) {
        EXPECT_EQ(close_reaction(static_cast<std::uint16_t>(code), true),
                  close_reaction(1008, true));
    }
}

TEST(CloseCodes, http_statuses_of_the_upgrade) {
    EXPECT_FALSE(close_code_for_http_status(101));
    EXPECT_EQ(close_code_for_http_status(301), CloseCode::moved_permanently);
    EXPECT_EQ(close_code_for_http_status(308), CloseCode::moved_permanently);
    EXPECT_EQ(close_code_for_http_status(302), CloseCode::retry);
    EXPECT_EQ(close_code_for_http_status(401), CloseCode::unauthorized);
    EXPECT_EQ(close_code_for_http_status(403), CloseCode::forbidden);
    EXPECT_EQ(close_code_for_http_status(503), CloseCode::internal_error);
    for (const int status : {0, 200, 400, 404, 410, 600}) {
        EXPECT_EQ(close_code_for_http_status(status), CloseCode::upgrade_refused) << status;
    }
}

TEST(CloseCodes, failures_at_an_unverified_endpoint_look_up_the_location) {
    for (const int code : {4400, 4401, 4405}) {
        const auto number = static_cast<std::uint16_t>(code);
        EXPECT_EQ(close_reaction(number, false).action, ErrorAction::refresh_location);
        EXPECT_EQ(close_reaction(number, true).action, ErrorAction::transient);
    }
    EXPECT_TRUE(close_reaction(4405, true).is_fatal);
}

} // namespace tombolo::protocol::test
