#include "proxy/http1/message_sink.hpp"

#include <algorithm>
#include <charconv>

#include "core/http1/head_writer.hpp"

namespace scrollgate {

void Http1MessageSink::start(Connection& connection, const Rules& rules) noexcept {
    connection_ = &connection;
    rules_ = rules;
    head_.clear();
    framing_ = {};
    left_ = sent_ = part_ = 0;
    complete_ = false;
}

Task<Result<void>> Http1MessageSink::flush() {
    if (head_.empty()) return Task<Result<void>>::ready(Result<void>());
    return send({}, {});
}

Task<Result<void>> Http1MessageSink::write(const BodyChunk& chunk) {
    switch (framing_.kind) {
        case BodyFraming::Kind::none:
            complete_ = chunk.end;
            return flush();
        case BodyFraming::Kind::length:
            left_ -= chunk.size();
            complete_ = chunk.end && left_ == 0;
            break;
        case BodyFraming::Kind::until_close:
            complete_ = chunk.end;
            break;
        case BodyFraming::Kind::chunked: {
            if (!chunk.data.empty()) {
                char size[18];
                char* end = std::to_chars(size, size + 16, chunk.data.size(), 16).ptr;
                *end++ = '\r';
                *end++ = '\n';
                head_.append(size, end);
            }
            behind_.assign(chunk.data.empty() ? "" : "\r\n");
            complete_ = chunk.end;
            if (chunk.end) {
                behind_.append("0\r\n");
                http1::append_trailers(behind_, chunk.trailers);
            }
            return send(chunk.data, behind_);
        }
    }
    return send(chunk.data, {}, chunk.pipe);
}

Task<Result<void>> Http1MessageSink::send(std::string_view data, std::string_view behind,
                                          Pipe* pipe) {
    const std::size_t before = head_.size(), size = data.size() + (pipe ? pipe->held() : 0);
    const IoResult result = co_await connection_->write(rules_.patience, head_, data, behind, pipe);
    sent_ += result.bytes;
    part_ = std::min(result.bytes - std::min(result.bytes, before), size);
    head_.clear();
    if (!result.error) {
        if (complete_ && rules_.fin_at_end) connection_->shutdown_write();
        co_return Result<void>();
    }
    if (const std::optional<ErrorKind> failure = connection_->failure()) co_return Error{*failure};
    co_return Error{rules_.broken, false, result.error};
}

}  // namespace scrollgate
