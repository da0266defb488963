#include "proxy/http2/exchange.hpp"

#include <utility>

#include "proxy/http2/session.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {

Http2Exchange::Http2Exchange(Worker& worker)
    : exchange(worker), body(worker.loop()), sink(worker.loop()) {}

void Http2Exchange::begin(Http2Session& session) {
    session_ = &session;
    Exchange& x = exchange;
    x.snapshot = x.worker.snapshot_ref();
    x.client = &session.client();
    x.body = &body;
    x.sink = &sink;
    x.record.started = x.worker.loop().now();
    const config::Timeouts& times = x.config().timeouts;
    body.start(session, *this, {.stall = times.client_body, .most = x.config().limits.body});
    sink.start(session, *this, body, times.client_write);
    begin_request(x.request, x.arena, x.snapshot->shared->head_limits.uri);
}

void Http2Exchange::reset() noexcept {
    body.reset();
    sink.reset();
    exchange.reset();
    session_ = nullptr;
    judged_.reset();
    protocol_ = {};
    gone_.reset();
    queued_ = false;
}

void Http2Exchange::request_came(const Result<void>& judged, std::string_view protocol) noexcept {
    judged_ = judged;
    protocol_ = protocol;
    sink.answers(exchange.request.method);
    if (!std::exchange(queued_, true)) session_->came(*this);
}

// The connection's window is open at once: only its own stream waits for whoever takes it slowly.
void Http2Exchange::body_came(std::string_view bytes) noexcept {
    session_->took_in(bytes.size());
    body.came(bytes);
}

void Http2Exchange::stream_ended(http2::StreamEnd end) noexcept {
    gone_ = end;
    if (end != http2::StreamEnd::done) {
        body.failed(Error{ErrorKind::client_closed});
        sink.failed(ErrorKind::client_closed);
        exchange.cancel(ErrorKind::client_closed);
    }
    if (!std::exchange(queued_, true)) session_->came(*this);
}

}  // namespace scrollgate
