#include "proxy/http2/session.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/error.hpp>

#include "core/limits.hpp"
#include "proxy/http2/websocket.hpp"
#include "proxy/pipeline/guard.hpp"
#include "proxy/pipeline/pipeline.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {
namespace {

http2::SessionOptions options_of(const Worker& worker) {
    const config::Limits& limits = worker.snapshot().shared->config->limits;
    http2::SessionOptions options;
    options.header_bytes = static_cast<std::uint32_t>(limits.header_bytes);
    options.fields = static_cast<std::uint32_t>(limits.headers);
    options.stream_window = limits::http2_upload_window;
    options.windows = http2::SessionOptions::Windows::manual;
    return options;
}

}  // namespace

Http2Session::Codec::Codec(Http2Session& of)
    : ServerSession(options_of(of.worker_), of.worker_.loop().now()), session(of) {}

// ---- life

void Http2Session::start(Worker& worker, std::unique_ptr<Stream> stream, Client client) {
    auto* session = new Http2Session(worker, std::move(stream), std::move(client));
    detach(session->run());
}

void Http2Session::take_over(Session&& before, Connection&& connection) {
    auto* session = new Http2Session(std::move(before), std::move(connection));
    detach(session->run());
}

Http2Session::Http2Session(Worker& worker, std::unique_ptr<Stream> stream, Client client)
    : Connection(worker.loop(), std::move(stream)),
      Session(worker, std::move(client)),
      codec_(*this) {}

Http2Session::Http2Session(Session&& before, Connection&& connection)
    : Connection(std::move(connection)), Session(std::move(before)), codec_(*this) {}

Http2Session::~Http2Session() = default;

Task<void> Http2Session::run() {
    worker_.idle_sessions(+1);
    idle_until_ = after(loop().now(), worker_.snapshot().shared->config->timeouts.client_header);
    if (worker_.closing(client())) say_close();
    Child writer;
    writer.start(write_all());
    co_await read_all();
    writing_on_ = false;
    const bool orderly = codec_.over() && !failure();
    if (codec_.flood() != http2::Flood::none) worker_.flooded(codec_.flood());
    if (!orderly) {
        lose_streams();
        close();
    }
    flush();
    co_await writer.join();
    lose_streams();
    lingering_ = true;
    if (orderly) co_await linger(*this);
    expire_at(Way::read, never, ErrorKind::cancelled);
    close();
    over_ = true;
    if (live_ == 0) worker_.idle_sessions(-1);
    destroy_when_quiet();
}

// Nothing is carried any more: what still waits for the client learns of it.
void Http2Session::lose_streams() {
    codec_.lost(broken() ? broken() : boost::asio::error::make_error_code(boost::asio::error::eof));
    serve_waiting();
}

void Http2Session::destroy_when_quiet() {
    if (over_ && live_ == 0 && !busy()) delete this;
}

void Http2Session::input_seen() noexcept {
    destroy_when_quiet();
}

// ---- reading

Task<void> Http2Session::read_all() {
    use_spares();
    if (!received().empty()) take_input();
    while (!codec_.over() && !failure()) {
        set_deadline();
        const bool came = co_await more();
        if (!received().empty()) take_input();
        if (!came && (at_end() || failure() || starved())) break;
    }
}

void Http2Session::take_input() {
    const std::string_view bytes = received();
    want_bulk(bytes.size() > limits::buffer_small / 2);
    codec_.feed(bytes, loop().now());
    consume(bytes.size());
    serve_waiting();
    flush();
}

http2::ServerStream* Http2Session::open() noexcept {
    // Those whose streams are gone have yet to learn it: no more of them than of the others.
    if (live_ >= limits::http2_streams + limits::http2_leaving || ended_) return nullptr;
    Http2Exchange& one = worker_.http2_exchanges().take(worker_);
    one.begin(*this);
    running_.push_back(one);
    if (live_++ == 0) worker_.idle_sessions(-1);
    return &one;
}

bool Http2Session::serve_waiting() {
    if (waiting_.empty()) return false;
    while (!waiting_.empty()) {
        std::vector<Http2Exchange*> now;
        now.swap(waiting_);
        for (Http2Exchange* const one : now)
            detach(serve_one(*one));
        now.clear();
        if (waiting_.empty()) now.swap(waiting_);  // for its capacity
    }
    return true;
}

// ---- writing

void Http2Session::wake() {
    if (writer_) loop().resume_later(std::exchange(writer_, {}));
}

void Http2Session::flush() {
    if (writer_) std::exchange(writer_, {}).resume();
}

Task<void> Http2Session::write_all() {
    const Patience patience{
        .stall = worker_.snapshot().shared->config->timeouts.client_write,
        .stalled = ErrorKind::client_stalled,
    };
    for (;;) {
        BufferLease buffer = loop().shared_buffer(bulk_);
        if (!buffer) {
            fail(ErrorKind::overloaded);
            co_return;
        }
        const std::size_t room = std::min(buffer.size(), limits::http2_write);
        const std::size_t size = codec_.pull({buffer.data(), room});
        const bool served = serve_waiting();
        if (size > 0) {
            bulk_ = size >= limits::buffer_small;
            const IoResult sent = co_await write(patience, {buffer.data(), size});
            if (sent.error) co_return;  // the reader learns of it
        }
        if (codec_.held_back()) co_await loop().yield();
        if (size > 0 || codec_.held_back()) continue;
        if (served) continue;  // it could not wake us
        buffer.release();
        if (!writing_on_) co_return;
        if (codec_.over()) interrupt();
        co_await Idle{*this};
    }
}

void Http2Session::consumed(http2::SessionStream& stream, std::size_t bytes) noexcept {
    if (!stream.open()) return;
    codec_.consumed_of_stream(stream, bytes);
    wake();
}

void Http2Session::inform(http2::ServerStream& stream, std::uint16_t status,
                          const HeaderList& fields) {
    codec_.inform(stream, status, fields);
    wake();
}

bool Http2Session::respond(http2::ServerStream& stream, std::uint16_t status,
                           const HeaderList& fields, const BodyFraming& framing, bool with_body) {
    if (!stream.open()) return false;
    wake();
    return codec_.respond(stream, status, fields, framing, with_body);
}

void Http2Session::more_to_send(http2::SessionStream& stream) noexcept {
    if (!stream.open()) return;
    codec_.resume(stream);
    wake();
}

// ---- an exchange

Task<void> Http2Session::serve_one(Http2Exchange& one) {
    using Because = http2::ServerSession::Because;
    Exchange& x = one.exchange;
    identify(x);
    const bool call = x.grpc;
    if (call) life_.call_began(loop().now(), received_total(), x.config().timeouts.client_body);
    if (!one.judged()) {  // what nghttp2 has refused by itself
        const ErrorFacts& told = facts(one.malformed().value_or(ErrorKind::client_closed));
        x.record.outcome = told.reason;
        x.record.status = told.status;
    } else if (x.cancelled) {
        co_await refuse(x, Error{*x.cancelled});
    } else if (!*one.judged()) {
        co_await refuse(x, one.judged()->error());
    } else {
        if (!x.request.body.has_body()) one.body.start_without();
        if (!one.protocol().empty()) ask_for_upgrade(x, one.protocol());
        co_await serve(x);
    }
    if (x.cancelled && x.record.outcome == "ok") x.record.outcome = facts(*x.cancelled).reason;
    codec_.finish(one, one.sink.aborted() ? Because::fault : Because::done);
    wake();
    worker_.observe(x);
    if (call) life_.call_ended();
    one.unlink();
    one.reset();
    worker_.http2_exchanges().give_back(one);
    if (--live_ > 0) co_return;
    if (over_) co_return destroy_when_quiet();
    worker_.idle_sessions(+1);
    idle_until_ = after(loop().now(), worker_.snapshot().shared->config->timeouts.client_idle);
    set_deadline();
}

// ---- the way to the end

// A field section has its time; so has a connection without a stream; streams have their own.
void Http2Session::set_deadline() {
    const TimePoint now = loop().now();
    if (!codec_.in_section()) {
        section_until_ = never;
    } else if (section_until_ == never) {
        const config::Timeouts& times = worker_.snapshot().shared->config->timeouts;
        section_until_ = after(now, times.client_header);
    }
    if (lingering_) return;
    TimePoint when = std::min({section_until_, end_at_, life_.due()});
    if (live_ == 0) when = std::min({when, idle_until_, now + limits::buffer_return});
    expire_at(Way::read, when, ErrorKind::cancelled);
}

void Http2Session::deadline_passed(ErrorKind kind) noexcept {
    const TimePoint now = loop().now();
    if (kind != ErrorKind::cancelled || lingering_ || now >= section_until_) return fail(kind);
    if (now >= end_at_ || (live_ == 0 && now >= idle_until_)) return end_soon();
    if (now >= life_.due()) return look_for_life();
    TimePoint idle = live_ == 0 ? idle_until_ : never;
    if (live_ == 0 && writing()) {  // it is not idle yet
        idle = std::min(idle, now + limits::buffer_return);
    } else if (live_ == 0) {
        park();
    }
    const TimePoint when = std::min({idle, section_until_, end_at_, life_.due()});
    expire_at(Way::read, when, ErrorKind::cancelled);
}

void Http2Session::look_for_life() {
    const LifeWatch::Next next = life_.look(loop().now(), received_total());
    if (next == LifeWatch::Next::give_up) return fail(ErrorKind::client_closed);
    if (next == LifeWatch::Next::ask) {
        codec_.ping();
        wake();
    }
    set_deadline();
}

// No stream is taken any more; what runs goes on.
void Http2Session::end_soon() {
    end_at_ = never;
    if (!std::exchange(ended_, true) && !lingering_) codec_.end();
    wake();
}

void Http2Session::say_close() noexcept {
    if (std::exchange(draining_, true) || lingering_) return;
    codec_.announce_end();
    wake();
}

void Http2Session::drain() {
    say_close();
    if (parked()) return end_soon();
    end_at_ = loop().now() + limits::buffer_return;
    set_deadline();
}

void Http2Session::abandon() {
    for (auto one = running_.begin(); one != running_.end();)
        (one++)->exchange.cancel(ErrorKind::shutting_down);
    fail(ErrorKind::shutting_down);
}

}  // namespace scrollgate
