// A client's connection over HTTP/2 while no buffer is free: its streams are turned down, and it
// goes on.
#include "tests/support/all_of.hpp"
#include "tests/unit/proxy/http2/visit.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

namespace {

/// Nobody who rests keeps a buffer, and none is free.
std::vector<BufferLease> take_all(Edge& edge) {
    CHECK(edge.pass(limits::buffer_return + 1s));
    CHECK(edge.worker.loop().small_buffers().leased() == 0);
    return all_of(edge.worker.loop().small_buffers());
}

}  // namespace

TEST_CASE(
    "a client's connection goes on while no buffer is free, and its streams are turned down") {
    Visit visit;
    CHECK(visit.ask(request()).heads.at(0).starts_with("200"));
    std::vector<BufferLease> all = take_all(visit.edge);
    for (int i = 0; i < 3; ++i) {
        CHECK(visit.ask(request()).heads.at(0).starts_with("503"));
        CHECK(visit.streams.back().ended);
        const std::string body(100'000, 'u');
        CHECK(visit.ask(request_with("PUT", body), body).heads.at(0).starts_with("503"));
    }
    CHECK_FALSE(visit.peer->closed());
    all.clear();
    CHECK(visit.ask(request()).heads.at(0).starts_with("200"));
    CHECK(visit.edge.events() == 8);
}

TEST_CASE("without spare buffers either a client's connection ends") {
    Visit visit;
    CHECK(visit.ask(request()).heads.at(0).starts_with("200"));
    const std::vector<BufferLease> all = take_all(visit.edge);
    const std::vector<BufferLease> spares = all_of(visit.edge.worker.loop().spare_buffers());
    CHECK(visit.ask(request()).heads.empty());
    CHECK(visit.peer->closed());
}
