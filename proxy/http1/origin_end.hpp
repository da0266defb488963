// The origin's end of an attempt over HTTP/1.1: a connection of its own, for as long as it lasts.
#pragma once

#include "proxy/http1/body_source.hpp"
#include "proxy/http1/message_sink.hpp"
#include "proxy/pipeline/exchange.hpp"
#include "proxy/pipeline/origin_end.hpp"
#include "proxy/upstream/upstream_connection.hpp"

namespace scrollgate {

class Http1OriginEnd final : public OriginEnd {
  public:
    explicit Http1OriginEnd(Worker& worker) noexcept : worker_(worker) {}

    /// For an attempt of `x` on `connection`: reused, or connected just now.
    void begin(Exchange& x, UpstreamLease connection) noexcept;
    /// For Recycled; nothing is held any more.
    void reset() noexcept { x_ = nullptr; }

    void fail(ErrorKind why) noexcept override { connection_->fail(why); }
    Task<Result<void>> send(std::string_view host, bool flush) override;
    BodySink& request() noexcept override { return sink_; }
    bool untouched() const noexcept override { return sink_.sent() == 0; }
    void expect_by(TimePoint when, ErrorKind late) override;
    Task<Result<void>> next_head(ResponseHead& head) override;
    BodySource& response(const ResponseHead& head) override;
    Tunnel open_tunnel(Duration idle) override;
    bool died_unused(const Error& error) const noexcept override;
    void finish(bool whole) noexcept override;

  private:
    [[nodiscard]] Error failed(ErrorKind kind, const char* detail) const noexcept;

    Worker& worker_;
    Exchange* x_ = nullptr;
    UpstreamLease connection_;
    Http1MessageSink sink_;
    Http1BodySource body_;
    std::uint64_t received_before_ = 0;  ///< bytes the connection had received before
    Duration idle_{0};                   ///< it may be kept so long; 0: not at all
};

}  // namespace scrollgate
