// The small server and the blocking client against each other, and the server against raw bytes.
#include "core/http1/beast_server.hpp"

#include <future>
#include <optional>
#include <thread>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

#include "core/http1/beast_client.hpp"

using namespace scrollgate;
using namespace scrollgate::http1;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

const SocketAddress loopback = *SocketAddress::from_ip("127.0.0.1", 0);

// A server on a thread of its own.
class Fixture {
  public:
    explicit Fixture(HttpHandler handler, ServerBounds bounds = {}) {
        server_.emplace(context_, std::move(handler), bounds);
        REQUIRE(server_->listen(loopback) == "");
        port_ = server_->port();
        thread_ = std::thread([this] { context_.run(); });
    }
    ~Fixture() {
        asio::post(context_, [this] { server_.reset(); });
        thread_.join();
    }
    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] asio::io_context& context() { return context_; }
    [[nodiscard]] std::size_t connections() {
        std::promise<std::size_t> count;
        asio::post(context_, [&] { count.set_value(server_->connections()); });
        return count.get_future().get();
    }

  private:
    asio::io_context context_{1};
    std::optional<BeastServer> server_;
    std::uint16_t port_ = 0;
    std::thread thread_;
};

ClientRequest request_to(const Fixture& fixture, std::string method = "GET",
                         std::string target = "/") {
    ClientRequest request;
    request.method = std::move(method);
    request.host = "127.0.0.1";
    request.port = fixture.port();
    request.target = std::move(target);
    return request;
}

void echo(const HttpRequest& request, const HttpReply& reply) {
    HttpResponse response;
    response.status = 201;
    response.headers = {{"X-Path", request.path}, {"X-Query", request.query}};
    response.body = request.method + ":" + std::string(request.header("x-in")) + ":" + request.body;
    reply(std::move(response));
}

tcp::socket raw(asio::io_context& context, const Fixture& fixture) {
    tcp::socket socket(context);
    socket.connect(tcp::endpoint(asio::ip::make_address("127.0.0.1"), fixture.port()));
    return socket;
}

// Sends bytes and reads until the server closes.
std::string talk(const Fixture& fixture, const std::string& bytes) {
    asio::io_context context;
    tcp::socket socket = raw(context, fixture);
    asio::write(socket, asio::buffer(bytes));
    std::string answer;
    boost::system::error_code end;
    asio::read(socket, asio::dynamic_buffer(answer), end);
    CHECK(end == asio::error::eof);
    return answer;
}

}  // namespace

TEST_CASE("a request reaches the handler and its answer the client") {
    Fixture fixture(echo);
    ClientRequest request = request_to(fixture, "POST", "/a/b?c=d&e");
    request.headers = {{"X-In", "field"}};
    request.body = "payload";
    const ClientAnswer answer = fetch(request);
    REQUIRE(answer.error == "");
    CHECK(answer.status == 201);
    CHECK(find_header(answer.headers, "x-path") == "/a/b");
    CHECK(find_header(answer.headers, "x-query") == "c=d&e");
    CHECK(find_header(answer.headers, "content-type") == "text/plain; charset=utf-8");
    CHECK(find_header(answer.headers, "date").size() == 29);
    CHECK(answer.body == "POST:field:payload");
}

TEST_CASE("a reply may come later, and from a shared body") {
    const auto body = std::make_shared<const std::string>(3 * limits::MiB, 'x');
    asio::io_context* context = nullptr;
    Fixture fixture([&](const HttpRequest&, HttpReply reply) {
        asio::post(*context, [body, reply = std::move(reply)] {
            HttpResponse response;
            response.shared_body = body;
            reply(response);
            reply(response);  // does nothing
        });
    });
    context = &fixture.context();
    const ClientAnswer answer = fetch(request_to(fixture));
    REQUIRE(answer.error == "");
    CHECK(answer.body == *body);
}

TEST_CASE("HEAD gets the length and no body") {
    Fixture fixture(echo);
    const std::string answer =
        talk(fixture, "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    CHECK(answer.find("Content-Length: 6\r\n") != std::string::npos);
    CHECK(answer.substr(answer.size() - 4) == "\r\n\r\n");
}

TEST_CASE("pipelined requests are answered in turn on one connection") {
    Fixture fixture(echo);
    const std::string answer = talk(fixture,
                                    "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"
                                    "GET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const std::size_t first = answer.find("X-Path: /1\r\n");
    const std::size_t second = answer.find("X-Path: /2\r\n");
    CHECK(first != std::string::npos);
    CHECK(second != std::string::npos);
    CHECK(first < second);
}

TEST_CASE("an HTTP/1.0 client that asks for it keeps its connection") {
    Fixture fixture(echo);
    const std::string answer =
        talk(fixture, "GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /2 HTTP/1.0\r\n\r\n");
    CHECK(answer.find("Connection: keep-alive\r\n") != std::string::npos);
    CHECK(answer.find("X-Path: /2\r\n") != std::string::npos);
}

TEST_CASE("a body that expects 100-continue is invited") {
    Fixture fixture(echo);
    const std::string answer = talk(fixture,
                                    "PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                                    "Content-Length: 2\r\nConnection: close\r\n\r\nhi");
    CHECK(answer.substr(0, 25) == "HTTP/1.1 100 Continue\r\n\r\n");
    CHECK(answer.find("PUT::hi") != std::string::npos);
}

TEST_CASE("too large heads and bodies and garbage are refused") {
    ServerBounds bounds;
    bounds.head_bytes = 512;
    bounds.body_bytes = 10;
    Fixture fixture(echo, bounds);
    CHECK(talk(fixture, "GET / HTTP/1.1\r\nHost: " + std::string(2000, 'x') + "\r\n\r\n")
              .substr(0, 12) == "HTTP/1.1 431");
    CHECK(talk(fixture, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n12345678901")
              .substr(0, 12) == "HTTP/1.1 413");
    CHECK(talk(fixture, "nonsense\r\n\r\n").substr(0, 12) == "HTTP/1.1 400");
}

TEST_CASE("a reply that is dropped is answered 500") {
    Fixture fixture([](const HttpRequest&, const HttpReply&) {});
    CHECK(fetch(request_to(fixture)).status == 500);
}

TEST_CASE("beyond the bound the oldest idle connection makes room") {
    ServerBounds bounds;
    bounds.connections = 2;
    Fixture fixture(echo, bounds);
    asio::io_context context;
    tcp::socket oldest = raw(context, fixture);
    const std::string get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    std::array<char, 12> head{};
    asio::write(oldest, asio::buffer(get));
    asio::read(oldest, asio::buffer(head));  // it is served, then idle
    tcp::socket second = raw(context, fixture);
    CHECK(fetch(request_to(fixture)).status == 201);
    CHECK(fixture.connections() <= 2);
    std::string rest;
    boost::system::error_code end;
    asio::read(oldest, asio::dynamic_buffer(rest), end);
    CHECK(end == asio::error::eof);
}

TEST_CASE("an idle connection is closed in time") {
    ServerBounds bounds;
    bounds.idle = std::chrono::milliseconds(1);
    Fixture fixture(echo, bounds);
    CHECK(talk(fixture, "") == "");
}

TEST_CASE("a head and a body that do not come in time end the connection") {
    ServerBounds bounds;
    bounds.request = std::chrono::milliseconds(1);
    Fixture fixture(echo, bounds);
    CHECK(talk(fixture, "GET / HT") == "");
    CHECK(talk(fixture, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf") == "");
}

TEST_CASE("a taken port is named in the error") {
    Fixture fixture(echo);
    BeastServer second(fixture.context(), echo);
    const SocketAddress taken = *SocketAddress::from_ip("127.0.0.1", fixture.port());
    CHECK(second.listen(taken) == "cannot listen on " + taken.text() + ": Address already in use");
    CHECK(second.port() == 0);
}

TEST_CASE("a stopped server drops replies that come after it") {
    asio::io_context context;
    std::optional<BeastServer> server;
    HttpReply kept;
    server.emplace(context, [&](const HttpRequest&, HttpReply reply) { kept = std::move(reply); });
    REQUIRE(server->listen(loopback) == "");
    tcp::socket client(context);
    client.connect(tcp::endpoint(asio::ip::make_address("127.0.0.1"), server->port()));
    asio::write(client, asio::buffer(std::string("GET / HTTP/1.1\r\nHost: x\r\n\r\n")));
    while (!kept)
        context.run_one();
    server.reset();
    kept(HttpResponse{});
    context.run();  // nothing is left to wait for
    std::string rest;
    boost::system::error_code end;
    asio::read(client, asio::dynamic_buffer(rest), end);
    CHECK(end == asio::error::eof);
    CHECK(rest.empty());
}

TEST_CASE("the client says what failed") {
    std::uint16_t free_port = 0;
    {
        Fixture fixture(echo);
        free_port = fixture.port();
    }
    ClientRequest request;
    request.host = "127.0.0.1";
    request.port = free_port;
    CHECK(fetch(request).error == "cannot connect: Connection refused");
}

TEST_CASE("the client gives up after its timeout") {
    HttpReply kept;
    Fixture fixture([&](const HttpRequest&, HttpReply reply) { kept = std::move(reply); });
    ClientRequest request = request_to(fixture);
    request.timeout = std::chrono::milliseconds(20);
    CHECK(fetch(request).error == "no answer within 20 ms");
}
