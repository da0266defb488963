// Http2Exchange: what a session needs for one stream; recycled by the worker.
#pragma once

#include <optional>

#include <boost/intrusive/list_hook.hpp>

#include "core/http2/server_session.hpp"
#include "proxy/http2/body_source.hpp"
#include "proxy/http2/response_sink.hpp"
#include "proxy/pipeline/exchange.hpp"

namespace scrollgate {

class Http2Session;

using Http2ExchangeHook =
    boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

class Http2Exchange final : public http2::ServerStream, public Http2ExchangeHook {
  public:
    explicit Http2Exchange(Worker& worker);

    /// A stream of `session` begins: its head is read into the exchange.
    void begin(Http2Session& session);
    /// Ready for another stream; keeps capacity.
    void reset() noexcept;

    Exchange exchange;
    Http2BodySource body;
    Http2ResponseSink sink;

    /// What was found when the head was whole; none if it never was.
    [[nodiscard]] const std::optional<Result<void>>& judged() const noexcept { return judged_; }
    /// Why there was never a head to judge: the client's fault, or none if it only went away.
    [[nodiscard]] std::optional<ErrorKind> malformed() const noexcept {
        if (gone_ != http2::StreamEnd::malformed) return std::nullopt;
        return head_too_large() ? ErrorKind::header_too_large : ErrorKind::bad_request;
    }
    /// Of an extended CONNECT; else empty.
    [[nodiscard]] std::string_view protocol() const noexcept { return protocol_; }

  private:
    void request_came(const Result<void>& judged, std::string_view protocol) noexcept override;
    void body_came(std::string_view bytes) noexcept override;
    void request_ended(const HeaderList* trailers) noexcept override { body.finished(trailers); }
    void stream_ended(http2::StreamEnd end) noexcept override;
    http2::BodyPart fill_body(std::span<char> into) noexcept override { return sink.fill(into); }

    Http2Session* session_ = nullptr;
    std::optional<Result<void>> judged_;
    std::string_view protocol_;
    std::optional<http2::StreamEnd> gone_;
    bool queued_ = false;  ///< the session knows that it is to be served
};

}  // namespace scrollgate
