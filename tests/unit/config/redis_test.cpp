// URLs of Redis in all their forms; no password is ever shown.
#include <doctest/doctest.h>

#include "config/loader.hpp"
#include "config/redis_url.hpp"

namespace scrollgate::config {

TEST_CASE("URLs of Redis are read in all their forms") {
    const auto bare = parse_redis_url("redis://cache.example");
    REQUIRE(bare.value);
    CHECK(bare.value->host == "cache.example");
    CHECK(bare.value->port == 6379);
    CHECK_FALSE(bare.value->tls);
    const auto full = parse_redis_url("rediss://ed%40ge:p%2f:w@rd@[2001:db8::1]:7000/12");
    REQUIRE(full.value);
    CHECK(full.value->tls);
    CHECK(full.value->username == "ed@ge");
    CHECK(full.value->password == "p/:w@rd");
    CHECK(full.value->host == "2001:db8::1");
    CHECK(full.value->port == 7000);
    CHECK(full.value->database == 12);
    CHECK(shown(*full.value) == "rediss://ed%40ge:(hidden)@[2001:db8::1]:7000/12");
    const auto password = parse_redis_url("redis://:secret@h/");
    REQUIRE(password.value);
    CHECK(password.value->username.empty());
    CHECK(password.value->password == "secret");
}

TEST_CASE("what is no URL of Redis is refused without its password") {
    for (const char* text :
         {"", "redis:cache", "http://u:secret@h", "redis://u:secret@", "redis://u:secret@h:0",
          "redis://u:secret@h:99999", "redis://u:secret@h/x", "redis://u:secret@h/1/2",
          "redis://u:secret@h/99999", "redis://u:secret%@h", "redis://u:secret%4g@h",
          "redis://u:@h", "redis://u:secret@h?x"}) {
        CAPTURE(text);
        const auto parsed = parse_redis_url(text);
        CHECK_FALSE(parsed.value);
        CHECK_FALSE(parsed.wrong.empty());
        CHECK(parsed.wrong.find("secret") == std::string::npos);
    }
}

TEST_CASE("the effective configuration hides the passwords of Redis") {
    const Loaded loaded = load_text(
        "listeners: [ { address: \"127.0.0.1:8080\" } ]\n"
        "pools: { aws: { endpoints: [ \"10.0.1.10:8080\" ] } }\n"
        "routes: [ { pools: [ aws ] } ]\n"
        "cache: { redis: { url: \"redis://h\", username: edge, password: s3cret-1,\n"
        "  purge_log: [ \"redis://u:s3cret-2@g\" ] } }\n");
    REQUIRE(loaded.ok());
    CHECK(loaded.config.cache.redis->password == "s3cret-1");
    CHECK(loaded.config.cache.redis->purge_log.at(0).password == "s3cret-2");
    const std::string effective = effective_yaml(loaded.config);
    CHECK(effective.find("s3cret") == std::string::npos);
    CHECK(effective.find("redis://u:(hidden)@g:6379") != std::string::npos);
}

TEST_CASE("purge_log lists other clouds, each once") {
    const Loaded loaded = load_text(
        "listeners: [ { address: \"127.0.0.1:8080\" } ]\n"
        "pools: { aws: { endpoints: [ \"10.0.1.10:8080\" ] } }\n"
        "routes: [ { pools: [ aws ] } ]\n"
        "cache: { redis: { url: \"redis://u:s3cret@here\", nodes: [ there ],\n"
        "  purge_log: [ \"redis://HERE:6379/0\", \"redis://here:6380\", \"redis://here/1\",\n"
        "    \"rediss://x:s3cret@there\", \"redis://gcp\", \"redis://gcp\" ] } }\n");
    std::vector<std::string> told;
    for (const Problem& problem : loaded.problems)
        told.push_back(problem.path + ": " + problem.message);
    const std::string rest = "; list those of other clouds, each once";
    CHECK(told ==
          std::vector<std::string>{
              "cache.redis.purge_log[0]: redis://HERE:6379 is the Redis of this fleet (url)" + rest,
              "cache.redis.purge_log[3]: rediss://x:(hidden)@there:6379 is a node of this "
              "fleet's cluster (nodes)" +
                  rest,
              "cache.redis.purge_log[5]: redis://gcp:6379 is purge_log[4] already" + rest});
}

}  // namespace scrollgate::config
