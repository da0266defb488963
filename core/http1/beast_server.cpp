#include "core/http1/beast_server.hpp"

#include <algorithm>
#include <list>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <fmt/chrono.h>

#include "core/clock.hpp"
#include "core/field.hpp"

namespace scrollgate::http1 {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;

constexpr auto accept_pause = std::chrono::milliseconds(200);  // out of descriptors: try again

std::string http_date() {
    const auto now = std::chrono::time_point_cast<std::chrono::seconds>(system_clock().wall());
    return fmt::format("{:%a, %d %b %Y %H:%M:%S GMT}",
                       fmt::gmtime(std::chrono::system_clock::to_time_t(now)));
}

// What a request that could not be read is answered; nothing for a peer that went away or was too
// slow (its stream is closed by then).
std::optional<HttpResponse> refusal(error_code error) {
    const auto answer = [](unsigned status, const char* text) {
        HttpResponse response;
        response.status = status;
        response.body = text;
        return response;
    };
    if (error == http::error::header_limit) return answer(431, "The header is too large.\n");
    if (error == http::error::body_limit) return answer(413, "The body is too large.\n");
    if (error == http::error::end_of_stream || error == http::error::partial_message) return {};
    const bool grammar = error.category() == make_error_code(http::error::bad_method).category();
    if (!grammar) return {};
    return answer(400, "The request is malformed.\n");
}

}  // namespace

std::string_view find_header(const PlainHeaders& headers, std::string_view name) {
    for (const auto& [key, value] : headers) {
        if (equal_no_case(key, name)) return value;
    }
    return {};
}

struct BeastServer::Impl : std::enable_shared_from_this<Impl> {
    class Session;
    using Sessions = std::list<std::shared_ptr<Session>>;  // oldest first

    Impl(asio::io_context& context_in, HttpHandler handler_in, ServerBounds bounds_in)
        : context(context_in),
          acceptor(context_in),
          pause(context_in),
          handler(std::move(handler_in)),
          bounds(bounds_in) {}

    void accept();
    void admit(tcp::socket socket);
    void remove(const Session* session);

    asio::io_context& context;
    tcp::acceptor acceptor;
    asio::steady_timer pause;
    HttpHandler handler;
    ServerBounds bounds;
    Sessions sessions;
    std::uint16_t port = 0;
    bool stopped = false;
};

// One connection: wait, read a request, answer it, again. Held by its pending operation and by the
// server's list; a reply holds it weakly.
class BeastServer::Impl::Session : public std::enable_shared_from_this<Session> {
  public:
    Session(tcp::socket socket, std::shared_ptr<Impl> server)
        : stream_(std::move(socket)), server_(std::move(server)) {}

    [[nodiscard]] bool idle() const noexcept { return idle_; }
    void wait();
    void close() noexcept {
        stream_.close();
        server_->remove(this);
    }
    void answer(std::uint64_t number, HttpResponse response);

  private:
    using Parser = http::request_parser<http::string_body>;

    void read_head();
    void read_body();
    void send_continue();
    void dispatch();
    void refuse(error_code error);
    template <class Body>
    void send(http::response<Body> message);
    void write_some();
    void written();
    void linger();

    // A serializer with its message, without the type of its body.
    struct Outgoing {
        virtual ~Outgoing() = default;
        virtual void write(Session& session) = 0;
    };
    template <class Body>
    struct OutgoingOf;

    beast::tcp_stream stream_;
    std::shared_ptr<Impl> server_;
    beast::flat_buffer buffer_;
    std::optional<Parser> parser_;
    std::unique_ptr<Outgoing> outgoing_;
    std::shared_ptr<const std::string> body_;  // what outgoing_ points into
    std::uint64_t awaited_ = 0;                // number of the request that waits for its reply
    std::uint64_t requests_ = 0;
    std::size_t lingered_ = 0;
    unsigned version_ = 11;
    bool head_request_ = false;
    bool keep_alive_ = false;
    bool idle_ = true;
};

template <class Body>
struct BeastServer::Impl::Session::OutgoingOf : Outgoing {
    explicit OutgoingOf(http::response<Body> message_in)
        : message(std::move(message_in)), serializer(message) {}

    void write(Session& session) override {
        http::async_write_some(session.stream_, serializer,
                               [self = session.shared_from_this(), this](error_code error, size_t) {
                                   if (error) return self->close();
                                   if (!serializer.is_done()) return self->write_some();
                                   self->written();
                               });
    }

    http::response<Body> message;
    http::response_serializer<Body> serializer;
};

void BeastServer::Impl::Session::wait() {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(server_->bounds.head_bytes));
    parser_->body_limit(server_->bounds.body_bytes);
    if (buffer_.size() > 0) return read_head();  // pipelined
    idle_ = true;
    stream_.expires_after(server_->bounds.idle);
    stream_.async_read_some(buffer_.prepare(limits::buffer_small),
                            [self = shared_from_this()](error_code error, std::size_t bytes) {
                                if (error) return self->close();
                                self->buffer_.commit(bytes);
                                self->read_head();
                            });
}

void BeastServer::Impl::Session::read_head() {
    idle_ = false;
    stream_.expires_after(server_->bounds.request);
    http::async_read_header(stream_, buffer_, *parser_,
                            [self = shared_from_this()](error_code error, std::size_t) {
                                if (error) return self->refuse(error);
                                const auto& message = self->parser_->get();
                                if (beast::iequals(message[http::field::expect], "100-continue")) {
                                    return self->send_continue();
                                }
                                self->read_body();
                            });
}

void BeastServer::Impl::Session::send_continue() {
    static constexpr std::string_view interim = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(stream_, asio::buffer(interim.data(), interim.size()),
                      [self = shared_from_this()](error_code error, std::size_t) {
                          if (error) return self->close();
                          self->read_body();
                      });
}

void BeastServer::Impl::Session::read_body() {
    if (parser_->is_done()) return dispatch();
    stream_.expires_after(server_->bounds.request);
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](error_code error, std::size_t) {
                         if (error) return self->refuse(error);
                         self->dispatch();
                     });
}

void BeastServer::Impl::Session::dispatch() {
    http::request<http::string_body> message = parser_->release();
    stream_.expires_never();
    head_request_ = message.method() == http::verb::head;
    version_ = message.version();
    keep_alive_ = message.keep_alive();
    awaited_ = ++requests_;

    HttpRequest request;
    request.method = std::string(message.method_string());
    request.target = std::string(message.target());
    const std::size_t mark = request.target.find('?');
    request.path = request.target.substr(0, mark);
    if (mark != std::string::npos) request.query = request.target.substr(mark + 1);
    for (const auto& field : message) {
        request.headers.emplace_back(field.name_string(), field.value());
    }
    request.body = std::move(message.body());
    error_code ignored;
    const tcp::endpoint peer = stream_.socket().remote_endpoint(ignored);
    request.peer = SocketAddress(peer.data(), static_cast<socklen_t>(peer.size()));

    // Shared by all copies of the reply: whoever drops the last one has answered, if only by 500.
    struct Promise {
        std::weak_ptr<Session> session;
        std::uint64_t number;
        void keep(HttpResponse response) {
            if (const auto alive = session.lock()) alive->answer(number, std::move(response));
        }
        ~Promise() {
            HttpResponse none;
            none.status = 500;
            none.body = "The request was not answered.\n";
            keep(std::move(none));
        }
    };
    auto promise = std::make_shared<Promise>(weak_from_this(), awaited_);
    server_->handler(request, [promise = std::move(promise)](HttpResponse response) {
        promise->keep(std::move(response));
    });
}

void BeastServer::Impl::Session::refuse(error_code error) {
    std::optional<HttpResponse> response = refusal(error);
    if (!response || !stream_.socket().is_open()) return close();
    keep_alive_ = false;
    awaited_ = ++requests_;
    answer(awaited_, std::move(*response));
}

void BeastServer::Impl::Session::answer(std::uint64_t number, HttpResponse response) {
    if (number != awaited_ || !stream_.socket().is_open()) return;  // answered before, or gone
    awaited_ = 0;
    body_ = response.shared_body != nullptr
                ? std::move(response.shared_body)
                : std::make_shared<const std::string>(std::move(response.body));
    const bool bodiless = response.status == 204 || response.status == 304;
    const auto fill = [&](auto& message) {
        message.version(version_);
        message.result(response.status);
        message.set(http::field::date, http_date());
        if (!response.content_type.empty() && !bodiless) {
            message.set(http::field::content_type, response.content_type);
        }
        for (const auto& [name, value] : response.headers)
            message.insert(name, value);
        message.keep_alive(keep_alive_);
        if (!bodiless) message.content_length(body_->size());
    };
    if (head_request_ || bodiless) {
        http::response<http::empty_body> message;
        fill(message);
        return send(std::move(message));
    }
    http::response<http::span_body<const char>> message;
    message.body() = beast::span<const char>(body_->data(), body_->size());
    fill(message);
    send(std::move(message));
}

template <class Body>
void BeastServer::Impl::Session::send(http::response<Body> message) {
    outgoing_ = std::make_unique<OutgoingOf<Body>>(std::move(message));
    write_some();
}

void BeastServer::Impl::Session::write_some() {
    stream_.expires_after(server_->bounds.write);  // anew for every piece: slow is allowed
    outgoing_->write(*this);
}

void BeastServer::Impl::Session::written() {
    // The operation that has just ended lives in outgoing_: let it unwind first.
    asio::post(stream_.get_executor(), [self = shared_from_this()] {
        if (!self->stream_.socket().is_open()) return;
        self->outgoing_.reset();
        self->body_.reset();
        if (self->keep_alive_) return self->wait();
        error_code ignored;
        self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
        self->stream_.expires_after(limits::linger);
        self->linger();
    });
}

// Reads on after our last byte: closing with unread bytes would reset the answer away.
void BeastServer::Impl::Session::linger() {
    buffer_.clear();
    stream_.async_read_some(buffer_.prepare(limits::buffer_small),
                            [self = shared_from_this()](error_code error, std::size_t bytes) {
                                self->lingered_ += bytes;
                                if (error || self->lingered_ > limits::linger_bytes) {
                                    return self->close();
                                }
                                self->linger();
                            });
}

void BeastServer::Impl::accept() {
    acceptor.async_accept([self = shared_from_this()](error_code error, tcp::socket socket) {
        if (self->stopped || error == asio::error::operation_aborted) return;
        if (!error) {
            self->admit(std::move(socket));
            return self->accept();
        }
        self->pause.expires_after(accept_pause);
        self->pause.async_wait([self](error_code cancelled) {
            if (!cancelled && !self->stopped) self->accept();
        });
    });
}

void BeastServer::Impl::admit(tcp::socket socket) {
    if (sessions.size() >= bounds.connections) {
        const auto idle = std::find_if(sessions.begin(), sessions.end(),
                                       [](const auto& session) { return session->idle(); });
        if (idle == sessions.end()) return;  // all are at work: the newest goes
        const std::shared_ptr<Session> oldest = *idle;
        oldest->close();
    }
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    sessions.push_back(std::make_shared<Session>(std::move(socket), shared_from_this()));
    sessions.back()->wait();
}

void BeastServer::Impl::remove(const Session* session) {
    sessions.remove_if([session](const auto& held) { return held.get() == session; });
}

BeastServer::BeastServer(asio::io_context& context, HttpHandler handler, ServerBounds bounds)
    : impl_(std::make_shared<Impl>(context, std::move(handler), bounds)) {}

BeastServer::~BeastServer() {
    stop();
}

std::string BeastServer::listen(const SocketAddress& address) {
    tcp::endpoint endpoint;
    endpoint.resize(address.size());
    std::copy_n(reinterpret_cast<const char*>(address.data()), address.size(),
                reinterpret_cast<char*>(endpoint.data()));
    error_code error;
    tcp::acceptor& acceptor = impl_->acceptor;
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    tcp::endpoint bound;
    if (!error) bound = acceptor.local_endpoint(error);
    if (error) {
        error_code ignored;
        acceptor.close(ignored);
        return "cannot listen on " + address.text() + ": " + error.message();
    }
    impl_->port = bound.port();
    impl_->accept();
    return {};
}

std::uint16_t BeastServer::port() const noexcept {
    return impl_->port;
}

std::size_t BeastServer::connections() const noexcept {
    return impl_->sessions.size();
}

void BeastServer::stop() noexcept {
    impl_->stopped = true;
    error_code ignored;
    impl_->acceptor.close(ignored);
    impl_->pause.cancel();
    const Impl::Sessions open = std::move(impl_->sessions);
    impl_->sessions.clear();
    for (const auto& session : open)
        session->close();
}

}  // namespace scrollgate::http1
