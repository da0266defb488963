// What the configuration says about Redis, as clients take it; passwords that change.
#include "cache/redis/settings.hpp"

#include <cstdio>
#include <fstream>
#include <string>

#include <doctest/doctest.h>
#include <unistd.h>

using namespace scrollgate;
using namespace scrollgate::redis;

namespace {

/// A file that is replaced whole, as secrets are.
struct SecretFile {
    SecretFile() {
        char made[] = "/tmp/scrollgate-secret-XXXXXX";
        ::close(::mkstemp(made));
        name = made;
    }
    ~SecretFile() { std::remove(name.c_str()); }
    void holds(const std::string& text) const {
        const std::string next = name + ".next";
        std::ofstream(next, std::ios::binary) << text;
        std::rename(next.c_str(), name.c_str());
    }
    std::string name;
};

config::Redis redis_at(config::RedisUrl url) {
    config::Redis redis;
    redis.url = std::move(url);
    return redis;
}

}  // namespace

TEST_CASE("settings follow the configuration, and what is shown holds no secret") {
    config::Redis redis = redis_at({.username = "edge",
                                    .password = "secret",
                                    .host = "cache.example",
                                    .port = 6390,
                                    .database = 3});
    redis.nodes = {{"10.0.0.2", 0}, {"10.0.0.3", 7000}};
    const auto settings = make_settings(redis);
    CHECK(settings->shown == "redis://cache.example:6390/3");
    CHECK(settings->database == 3);
    CHECK(settings->seeds ==
          std::vector<NodeName>{{"cache.example", 6390}, {"10.0.0.2", 6379}, {"10.0.0.3", 7000}});
    CHECK_FALSE(settings->tls);
    CHECK(CredentialSource(redis).present() == Credentials{"edge", "secret"});
    redis.url.reset();
    redis.nodes.clear();
    redis.sentinel = config::RedisSentinel{"mymaster", {{"10.0.0.9", 0}}};
    redis.tls.emplace().verify = false;
    const auto sentinel = make_settings(redis);
    CHECK(sentinel->sentinel_master == "mymaster");
    CHECK(sentinel->seeds == std::vector<NodeName>{{"10.0.0.9", 26379}});
    CHECK(sentinel->tls);
    CHECK(NodeName{"2001:db8::1", 7000}.text() == "[2001:db8::1]:7000");
}

TEST_CASE("another cloud's log has its own place, and its own password if it names one") {
    config::Redis redis =
        redis_at({.tls = true, .username = {}, .password = {}, .host = "near.example"});
    redis.username = "edge";
    redis.password = "near";
    redis.tls.emplace().server_name = "near.example";
    redis.from_replicas = true;
    redis.cluster = config::Redis::Cluster::on;
    const config::RedisUrl far{.username = "other", .password = "far", .host = "far.example"};
    const auto settings = make_settings(redis, far, std::chrono::seconds(2));
    CHECK(settings->seeds == std::vector<NodeName>{{"far.example", 6379}});
    CHECK(settings->server_name.empty());
    CHECK_FALSE(settings->tls);
    CHECK_FALSE(settings->from_replicas);
    CHECK(settings->cluster == config::Redis::Cluster::detect);
    CHECK(settings->timeout == std::chrono::seconds(2));
    CHECK(CredentialSource(redis, far).present() == Credentials{"other", "far"});
    const config::RedisUrl bare{.username = {}, .password = {}, .host = "far.example"};
    CHECK(CredentialSource(redis, bare).present() == Credentials{"edge", "near"});
}

TEST_CASE("a password file is read anew when it is another one, and kept while it is not there") {
    const SecretFile file;
    file.holds("first\n");
    config::Redis redis = redis_at({.username = {}, .password = {}, .host = "cache.example"});
    redis.username = "edge";
    redis.password_file = file.name;
    CredentialSource source(redis);
    CHECK(source.present() == Credentials{"edge", "first"});
    CHECK_FALSE(source.look());
    file.holds("second\r\n");
    CHECK(source.look());
    CHECK(source.present().password == "second");
    CHECK_FALSE(source.look());
    file.holds("second");
    CHECK_FALSE(source.look());
    file.holds("");
    CHECK_FALSE(source.look());
    std::remove(file.name.c_str());
    CHECK_FALSE(source.look());
    CHECK(source.present().password == "second");
    file.holds("third");
    CHECK(source.look());
}
