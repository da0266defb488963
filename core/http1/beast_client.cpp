#include "core/http1/beast_client.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

namespace scrollgate::http1 {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;

std::string host_field(const ClientRequest& request) {
    const bool v6 = request.host.find(':') != std::string::npos;
    return (v6 ? "[" + request.host + "]" : request.host) + ":" + std::to_string(request.port);
}

// The steps of one request. Each starts the next; the first error ends the row.
class Fetch {
  public:
    explicit Fetch(const ClientRequest& request) : request_(request) {
        parser_.body_limit(request.max_answer);
        if (request.method == "HEAD") parser_.skip(true);
    }

    ClientAnswer run() {
        error_code error;
        const auto literal = asio::ip::make_address(request_.host, error);
        if (!error) {
            connect(tcp::resolver::results_type::create(tcp::endpoint(literal, request_.port),
                                                        request_.host, ""));
        } else {
            resolver_.async_resolve(request_.host, std::to_string(request_.port),
                                    [this](error_code failed, const auto& found) {
                                        if (failed) return fail("cannot resolve the name", failed);
                                        connect(found);
                                    });
        }
        context_.run_for(request_.timeout);
        if (!done_) {
            answer_ = {};
            answer_.error = "no answer within " + std::to_string(request_.timeout.count()) + " ms";
        }
        return std::move(answer_);
    }

  private:
    void connect(const tcp::resolver::results_type& found) {
        stream_.async_connect(found, [this](error_code error, const auto&) {
            if (error) return fail("cannot connect", error);
            write();
        });
    }

    void write() {
        message_.method_string(request_.method);
        message_.target(request_.target);
        message_.set(http::field::host, host_field(request_));
        for (const auto& [name, value] : request_.headers)
            message_.set(name, value);
        message_.keep_alive(false);
        message_.body() = request_.body;
        if (!request_.body.empty() || request_.method == "POST" || request_.method == "PUT") {
            message_.content_length(request_.body.size());
        }
        // An early answer may come with a failed write (413): the read decides.
        http::async_write(stream_, message_, [this](error_code, std::size_t) { read(); });
    }

    void read() {
        http::async_read(stream_, buffer_, parser_, [this](error_code error, std::size_t) {
            if (error) return fail("the connection ended without a complete answer", error);
            answer_.status = parser_.get().result_int();
            for (const auto& field : parser_.get()) {
                answer_.headers.emplace_back(field.name_string(), field.value());
            }
            answer_.body = std::move(parser_.get().body());
            done_ = true;
        });
    }

    void fail(const char* what, error_code error) {
        answer_.error = std::string(what) + ": " + error.message();
        done_ = true;
    }

    const ClientRequest& request_;
    asio::io_context context_{1};
    tcp::resolver resolver_{context_};
    beast::tcp_stream stream_{context_};
    http::request<http::string_body> message_;
    http::response_parser<http::string_body> parser_;
    beast::flat_buffer buffer_;
    ClientAnswer answer_;
    bool done_ = false;
};

}  // namespace

ClientAnswer fetch(const ClientRequest& request) {
    return Fetch(request).run();
}

}  // namespace scrollgate::http1
