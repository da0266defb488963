#include "bench/load/http2_connection.hpp"

#include <utility>

namespace scrollgate::bench {
namespace {

using Way = Connection::Way;

/// A generator throws bodies away at once, so windows need not hold anybody back.
constexpr std::uint32_t open_window = (1U << 30) - 1;

http2::SessionOptions options_for(const Plan& plan) {
    http2::SessionOptions options;
    options.header_bytes = head_bytes;
    options.fields = head_fields;
    options.streams = plan.streams;
    options.stream_window = options.connection_window = open_window;
    return options;
}

}  // namespace

Http2Connection::Http2Connection(LoadWorker& worker, const Dial& dial, const SocketAddress& address,
                                 Owner& owner)
    : ClientSession(options_for(worker.plan())),
      owner_(owner),
      address_(address),
      link_(worker.loop(), dial.open(worker.loop(), nullptr), *this) {}

Task<void> Http2Connection::run(TimePoint until) {
    std::optional<Failure> why = co_await connect(link_, address_, until);
    connected_ = !why;
    if (connected_) {
        link_.expire_at(Way::read, until, ErrorKind::upstream_timeout);
        co_await link_.carry();
        why = fault() != nullptr ? Failure::malformed : lost_because(link_, Failure::closed);
    }
    link_.close();
    retired_ = true;
    owner_.ended(*this, *why);
}

void Http2Connection::settings_came() noexcept {
    link_.expire_at(Way::read, never, ErrorKind::upstream_timeout);
    owner_.settled(*this);
}

void Http2Connection::retire() noexcept {
    retired_ = true;
    if (open_streams() == 0) link_.close();
}

// Frames of all streams share reads and writes: a sample gets what has come and gone since the last
// one, so that the sum is right.
void Http2Connection::stream_ended(Sample& sample) noexcept {
    sample.bytes_in = link_.received_total() - std::exchange(counted_in_, link_.received_total());
    sample.bytes_out = link_.sent_total() - std::exchange(counted_out_, link_.sent_total());
    if (retired_) retire();
}

}  // namespace scrollgate::bench
