// The client's end of a response over HTTP/2.
//
// A head waits until the body's first bytes, or their absence, are known, so that an answer without
// a body is one frame.
#pragma once

#include <string>

#include "core/http2/server_session.hpp"
#include "core/net/event_loop.hpp"
#include "proxy/http2/outlet.hpp"
#include "proxy/pipeline/ends.hpp"

namespace scrollgate {

class Http2BodySource;
class Http2Session;

class Http2ResponseSink final : public ResponseSink {
  public:
    explicit Http2ResponseSink(EventLoop& loop) noexcept : out_(loop) {}

    /// The answer on `stream` to a request of `method`, whose body is `body`.
    void start(Http2Session& session, http2::ServerStream& stream, Http2BodySource& body,
               Duration stall) noexcept;
    void answers(Method method) noexcept { method_ = method; }
    void reset() noexcept;

    // -- by the stream
    /// Writes what fits and is there.
    [[nodiscard]] http2::BodyPart fill(std::span<char> into) noexcept { return out_.fill(into); }
    void failed(ErrorKind why) noexcept { out_.failed(Error{why}); }

    Task<Result<void>> interim(const ResponseHead& head) override;
    Task<Result<void>> upgrade(const ResponseHead& head, std::string_view protocol) override;
    void watch() override {}  // the connection is always read
    using ResponseSink::head;
    void head(const ResponseHead& head, std::string_view lines) override;
    void bound(Duration stall, TimePoint until) noexcept override { out_.bound(stall, until); }
    [[nodiscard]] bool committed() const noexcept override { return committed_; }
    void abort() noexcept override { aborted_ = true; }
    Task<Result<void>> write(const BodyChunk& chunk) override;
    Task<Result<void>> flush() override;
    [[nodiscard]] std::size_t part_written() const noexcept override { return out_.part_taken(); }

    [[nodiscard]] bool aborted() const noexcept { return aborted_; }

  private:
    [[nodiscard]] bool commit(bool with_body);
    void keep_fields(const ResponseHead& head, std::string_view lines);
    void keep_lines(std::string_view lines);

    Http2Outlet out_;
    Http2Session* session_ = nullptr;
    http2::ServerStream* stream_ = nullptr;
    Http2BodySource* body_ = nullptr;
    Method method_ = Method::get;
    std::string text_;   ///< of fields_
    HeaderList fields_;  ///< of the head that waits
    std::uint16_t status_ = 0;
    BodyFraming framing_;
    bool bodiless_ = false, committed_ = false, aborted_ = false;
};

}  // namespace scrollgate
