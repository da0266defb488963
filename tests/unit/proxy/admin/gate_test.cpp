// Who may ask and who may change something: Host, Origin and token.
#include "proxy/admin/gate.hpp"

#include <vector>

#include <doctest/doctest.h>

using namespace scrollgate;

namespace {

const std::string secret(64, 'a');

Gate gate_at(const std::string& address, const std::string& ip) {
    config::Admin admin;
    admin.address = address;
    admin.bind = *SocketAddress::from_ip(ip, 9528);
    return {admin, secret};
}

// The status of the refusal; 0 if the request may pass.
unsigned verdict(const Gate& gate, Access access, http1::PlainHeaders headers) {
    http1::HttpRequest request;
    request.headers = std::move(headers);
    const auto refused = gate.refusal(request, access);
    return refused ? refused->status : 0;
}

const std::pair<std::string, std::string> good_token{"Authorization", "Bearer " + secret};

}  // namespace

TEST_CASE("a rebound name does not pass, an address or localhost does") {
    const Gate gate = gate_at("127.0.0.1:9528", "127.0.0.1");
    for (const char* good : {"127.0.0.1:9528", "127.0.0.1", "localhost:9528", "LocalHost",
                             "[::1]:9528", "10.0.0.7:1"}) {
        CAPTURE(good);
        CHECK(verdict(gate, Access::read, {{"Host", good}}) == 0);
    }
    for (const char* bad : {"evil.example:9528", "localhost.evil.example", "127.0.0.1.evil.example",
                            "", "a b", "127.0.0.1:9528:1"}) {
        CAPTURE(bad);
        CHECK(verdict(gate, Access::read, {{"Host", bad}}) == 403);
        CHECK(verdict(gate, Access::probe, {{"Host", bad}}) == 403);
        CHECK(verdict(gate, Access::change, {{"Host", bad}, good_token}) == 403);
    }
    CHECK(verdict(gate, Access::read, {}) == 403);
    CHECK(verdict(gate, Access::read, {{"Host", "127.0.0.1"}, {"host", "evil.example"}}) == 403);
    CHECK(verdict(gate_at("edge.internal:9528", "127.0.0.1"), Access::read,
                  {{"Host", "Edge.Internal:9528"}}) == 0);
}

TEST_CASE("a page of another site does not pass") {
    const Gate gate = gate_at("127.0.0.1:9528", "127.0.0.1");
    const std::pair<std::string, std::string> host{"Host", "127.0.0.1:9528"};
    CHECK(verdict(gate, Access::change, {host, good_token, {"Origin", "http://127.0.0.1:9528"}}) ==
          0);
    for (const char* origin : {"http://evil.example", "null", "https://127.0.0.1:9528",
                               "http://127.0.0.1:9529", "http://127.0.0.1:9528.evil.example"}) {
        CAPTURE(origin);
        CHECK(verdict(gate, Access::change, {host, good_token, {"Origin", origin}}) == 403);
        CHECK(verdict(gate, Access::read, {host, {"Origin", origin}}) == 403);
    }
}

TEST_CASE("changes need the token, reads only beyond loopback, probes never") {
    const std::pair<std::string, std::string> host{"Host", "10.0.0.1"};
    const Gate local = gate_at("127.0.0.1:9528", "127.0.0.1");
    const Gate wide = gate_at("0.0.0.0:9528", "0.0.0.0");
    CHECK(verdict(local, Access::read, {host}) == 0);
    CHECK(verdict(wide, Access::read, {host}) == 401);
    CHECK(verdict(wide, Access::read, {host, good_token}) == 0);
    CHECK(verdict(wide, Access::probe, {host}) == 0);
    CHECK(verdict(local, Access::change, {host}) == 401);
    CHECK(verdict(local, Access::change, {host, good_token}) == 0);
    CHECK(verdict(local, Access::change, {host, {"authorization", "bearer " + secret}}) == 0);
    const std::vector<std::string> wrong{secret, "Basic " + secret, "Bearer ",
                                         "Bearer " + secret + "a",
                                         "Bearer " + secret.substr(1) + "b"};
    for (const std::string& bad : wrong) {
        CAPTURE(bad);
        CHECK(verdict(local, Access::change, {host, {"Authorization", bad}}) == 401);
    }
}
