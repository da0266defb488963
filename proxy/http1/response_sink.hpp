// The client's end of a response over HTTP/1: framing and persistence as its version allows
// (RFC 9112 sections 6 and 9.3).
#pragma once

#include "core/net/connection.hpp"
#include "proxy/http1/body_source.hpp"
#include "proxy/http1/message_sink.hpp"
#include "proxy/pipeline/ends.hpp"

namespace scrollgate {

class Http1ResponseSink final : public ResponseSink {
  public:
    /// The answer to `request`, whose body is `body`. `keep` = the connection may persist.
    void start(Connection& connection, const RequestHead& request, Http1BodySource& body, bool keep,
               Duration stall);

    Task<Result<void>> interim(const ResponseHead& head) override;
    Task<Result<void>> upgrade(const ResponseHead& head, std::string_view protocol) override;
    void watch() override { connection_->arm(); }
    using ResponseSink::head;
    void head(const ResponseHead& head, std::string_view lines) override;
    void bound(Duration stall, TimePoint until) noexcept override { out_.bound(stall, until); }
    [[nodiscard]] bool committed() const noexcept override {
        return committed_ && !out_.head_pending();
    }
    void abort() noexcept override;
    Task<Result<void>> write(const BodyChunk& chunk) override { return out_.write(chunk); }
    Task<Result<void>> flush() override { return out_.flush(); }
    [[nodiscard]] std::size_t part_written() const noexcept override { return out_.part_written(); }
    [[nodiscard]] bool can_pipe() const noexcept override { return out_.can_pipe(); }

    /// The connection is not to be used again after this response, if that can still be said in it.
    void will_close() noexcept {
        if (!committed_) keep_ = false;
    }
    /// The response went out whole and the connection may carry another request.
    [[nodiscard]] bool reusable() const noexcept { return keep_ && out_.complete() && !aborted_; }
    [[nodiscard]] bool aborted() const noexcept { return aborted_; }
    /// Only a reset can tell that the response is cut short: its end is the connection's.
    [[nodiscard]] bool abort_by_reset() const noexcept { return aborted_ && until_close_; }

  private:
    Connection* connection_ = nullptr;
    Http1BodySource* body_ = nullptr;
    Http1MessageSink out_;
    Method method_ = Method::get;
    Version version_ = Version::http11;
    bool keep_ = false, committed_ = false, aborted_ = false, until_close_ = false;
};

}  // namespace scrollgate
