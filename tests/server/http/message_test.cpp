#include "server/http/message.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "server/http/router.hpp"

namespace tombolo::http {
namespace {

TEST(Message, headers_compare_without_case) {
    Headers headers;
    headers.add("Content-Type", "a");
    headers.add("X", "1");
    headers.set("content-type", "b");
    EXPECT_EQ(headers.find("CONTENT-TYPE"), "b");
    EXPECT_EQ(headers.all().size(), 2u);
    EXPECT_FALSE(headers.contains("Y"));
}

TEST(Message, query_values_are_decoded) {
    Request request;
    request.query = "a=1&b%20c=x%2By+z&empty&a=2&bad=%zz";
    EXPECT_EQ(request.query_value("a"), "1");
    EXPECT_EQ(request.query_value("b c"), "x+y z");
    EXPECT_EQ(request.query_value("empty"), "");
    EXPECT_EQ(request.query_value("none"), "");
}

TEST(Message, bearer_tokens_are_taken_from_the_header_only) {
    Request request;
    request.headers.add("Authorization", "bearer abc");
    EXPECT_EQ(request.bearer_token(), "abc");
    request.headers.set("Authorization", "Basic abc");
    EXPECT_EQ(request.bearer_token(), "");
}

TEST(Router, literal_segments_win_over_parameters) {
    Router router;
    router.add(Method::get, "/app/{id}/location", 1);
    router.add(Method::get, "/app/special/location", 2);
    router.add(Method::post, "/app/{id}/location", 3);
    EXPECT_EQ(router.match(Method::get, "/app/special/location").route, 2u);
    const Router::Match match = router.match(Method::get, "/app/x-1/location");
    EXPECT_EQ(match.route, 1u);
    ASSERT_EQ(match.parameters.size(), 1u);
    EXPECT_EQ(match.parameters[0], (std::pair<std::string, std::string>("id", "x-1")));
}

TEST(Router, the_rest_of_a_path_is_one_parameter) {
    Router router;
    router.add(Method::get, "/app/{id}/endpoint/{route...}", 1);
    router.add(Method::get, "/app/{id}/endpoint/known", 2);
    const Router::Match match = router.match(Method::get, "/app/x-1/endpoint/a/b//c");
    EXPECT_EQ(match.route, 1u);
    ASSERT_EQ(match.parameters.size(), 2u);
    EXPECT_EQ(match.parameters[1], (std::pair<std::string, std::string>("route", "a/b//c")));
    EXPECT_EQ(router.match(Method::get, "/app/x-1/endpoint/known").route, 2u);
    EXPECT_EQ(router.match(Method::get, "/app/x-1/endpoint").kind, Router::Match::Kind::no_path);
    EXPECT_EQ(router.match(Method::put, "/app/x/endpoint/a").kind, Router::Match::Kind::no_method);
}

TEST(Router, unknown_paths_and_methods_are_told_apart) {
    Router router;
    router.add(Method::get, "/a/{b}", 1);
    EXPECT_EQ(router.match(Method::get, "/a").kind, Router::Match::Kind::no_path);
    EXPECT_EQ(router.match(Method::get, "/a//").kind, Router::Match::Kind::no_path);
    EXPECT_EQ(router.match(Method::get, "/a/b/c").kind, Router::Match::Kind::no_path);
    const Router::Match wrong = router.match(Method::put, "/a/b");
    EXPECT_EQ(wrong.kind, Router::Match::Kind::no_method);
    EXPECT_EQ(wrong.allowed, std::vector<Method>{Method::get});
    EXPECT_THROW(router.add(Method::get, "/a/{c}", 2), Error);
}

} // namespace
} // namespace tombolo::http
