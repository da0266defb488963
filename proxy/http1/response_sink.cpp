#include "proxy/http1/response_sink.hpp"

#include "core/http1/head_writer.hpp"

namespace scrollgate {

void Http1ResponseSink::start(Connection& connection, const RequestHead& request,
                              Http1BodySource& body, bool keep, Duration stall) {
    connection_ = &connection;
    body_ = &body;
    method_ = request.method;
    version_ = request.version;
    keep_ = keep;
    committed_ = aborted_ = until_close_ = false;
    out_.start(connection, {.patience = {.stall = stall, .stalled = ErrorKind::client_stalled},
                            .broken = ErrorKind::client_closed});
}

Task<Result<void>> Http1ResponseSink::interim(const ResponseHead& head) {
    if (version_ == Version::http10 || committed_ || connection_->writing()) {
        return Task<Result<void>>::ready(Result<void>());
    }
    http1::append_response_head(out_.head(), head.status, reason_phrase(head.status), head.fields,
                                {});
    return out_.flush();
}

Task<Result<void>> Http1ResponseSink::upgrade(const ResponseHead& head, std::string_view protocol) {
    committed_ = true;
    keep_ = false;
    const http1::HopFields hop{.body = {}, .connection = "upgrade", .upgrade = protocol};
    http1::append_response_head(out_.head(), head.status, reason_phrase(head.status), head.fields,
                                hop);
    const BodyFraming raw{BodyFraming::Kind::until_close, 0};
    out_.frame(raw);
    out_.end_with_fin();
    body_->start(*connection_, raw, {.cut_short = ErrorKind::client_closed});
    return out_.flush();
}

void Http1ResponseSink::head(const ResponseHead& head, std::string_view lines) {
    out_.head().clear();  // one that has not left yet is replaced
    BodyFraming framing = announced_body(head, method_);
    if (version_ == Version::http10 && framing.kind == BodyFraming::Kind::chunked)
        framing.kind = BodyFraming::Kind::until_close;
    until_close_ = framing.kind == BodyFraming::Kind::until_close;
    if (until_close_ || !body_->ended()) keep_ = false;
    http1::HopFields hop{.body = framing, .connection = {}, .upgrade = {}};
    if (!keep_) {
        hop.connection = "close";
    } else if (version_ == Version::http10) {
        hop.connection = "keep-alive";
    }
    const std::string_view reason = head.reason.empty() ? reason_phrase(head.status) : head.reason;
    http1::append_response_head(out_.head(), head.status, reason, head.fields, hop, lines);
    out_.frame(never_has_body(method_, head.status) ? BodyFraming{} : framing);
    committed_ = true;
}

void Http1ResponseSink::abort() noexcept {
    aborted_ = true;
    keep_ = false;
}

}  // namespace scrollgate
