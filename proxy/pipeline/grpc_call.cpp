#include "proxy/pipeline/grpc_call.hpp"

#include <algorithm>

#include "proxy/server/worker.hpp"

namespace scrollgate {

bool is_grpc_call(const RequestHead& request) noexcept {
    return request.version == Version::http2 && request.method == Method::post &&
           grpc::is_content_type(request.fields.value(Field::content_type));
}

std::optional<Error> bound_call(Exchange& x) {
    const HeaderField* const given = x.request.fields.find(Field::grpc_timeout);
    if (given == nullptr) return std::nullopt;
    const std::optional<Duration> timeout = grpc::timeout_from(given->value);
    if (!timeout) return Error{ErrorKind::bad_request, false, {}, "malformed grpc-timeout"};
    x.until = std::min(x.until, after(x.record.started, *timeout));
    if (x.until <= x.worker.loop().now()) return Error{ErrorKind::request_timeout};
    return std::nullopt;
}

// Not as it came: part of that time is gone, by attempts before this one perhaps most of it, and
// the route may allow less. What an origin does beyond our deadline it does for nobody.
void tell_deadline(Exchange& x) {
    HeaderList& fields = x.request.fields;
    if (!x.grpc || x.until == never || fields.find(Field::grpc_timeout) == nullptr) return;
    std::array<char, 9> storage;
    const Duration left = std::max(x.until - x.worker.loop().now(), Duration::zero());
    fields.remove(Field::grpc_timeout);
    fields.add(Field::grpc_timeout, x.arena.join({grpc::timeout_text(left, storage)}));
}

std::optional<grpc::Status> trailers_only(const ResponseHead& head) noexcept {
    const bool ends = head.body.kind == BodyFraming::Kind::none ||
                      (head.body.kind == BodyFraming::Kind::length && head.body.length == 0);
    const HeaderField* const status = ends ? head.fields.find(Field::grpc_status) : nullptr;
    if (status == nullptr) return std::nullopt;
    return grpc::status_from(status->value);
}

bool is_turned_down(const Exchange& x, const ResponseHead& head) noexcept {
    const std::vector<grpc::Status>& named = x.route->route->failover.retry_grpc;
    if (!x.grpc || named.empty()) return false;
    const std::optional<grpc::Status> status = trailers_only(head);
    return status && std::find(named.begin(), named.end(), *status) != named.end();
}

// Neither reasons nor ids hold anything that grpc-message would have to percent-encode.
void add_grpc_status(Exchange& x, const Error& error, HeaderList& fields) {
    x.record.grpc = error.grpc();
    fields.add(Field::grpc_status, grpc::digits(error.grpc()));
    fields.add("grpc-message",
               x.arena.join({error.reason(), ", request id ", x.record.request_id}));
}

Task<void> end_call(Exchange& x, const Error& error) {
    HeaderList trailers;
    add_grpc_status(x, error, trailers);
    x.sink->bound(x.route->client_write, never);  // the exchange's own time may be over
    const BodyChunk last{{}, true, &trailers};
    const Result<void> written = co_await x.sink->write(last);
    if (!written) x.sink->abort();
}

CallWatch::CallWatch(Exchange& x) noexcept : x_(x) {
    if (x_.grpc) note(x_.response.fields);
}

BodySink& CallWatch::sink() noexcept {
    if (x_.grpc) return *this;
    return *x_.sink;
}

Task<Result<void>> CallWatch::write(const BodyChunk& chunk) {
    if (chunk.trailers != nullptr) note(*chunk.trailers);
    return x_.sink->write(chunk);
}

void CallWatch::note(const HeaderList& fields) noexcept {
    const HeaderField* const status = fields.find(Field::grpc_status);
    if (status != nullptr) x_.record.grpc = grpc::status_from(status->value);
}

}  // namespace scrollgate
