#include "core/http2/link.hpp"

#include <algorithm>

#include <boost/asio/error.hpp>

#include "core/limits.hpp"

namespace scrollgate::http2 {
namespace {

/// co_await of one that has a name: until others may have given buffers back.
class Pause final : private TimerWheel::Timer {
  public:
    explicit Pause(EventLoop& loop) noexcept : loop_(loop) {}

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) noexcept {
        waiting_ = waiting;
        loop_.arm(*this, loop_.now() + limits::buffer_look);
    }
    void await_resume() const noexcept {}

  private:
    void expired() noexcept override { loop_.resume_later(waiting_); }

    EventLoop& loop_;
    std::coroutine_handle<> waiting_;
};

/// Nothing came only because there was no buffer for it.
bool starving(const Connection& connection) noexcept {
    return connection.starved() && connection.is_open() && !connection.at_end();
}

}  // namespace

Task<void> Carrier::carry() {
    carrying_ = true;
    Child writer;
    writer.start(write_all());
    unsigned starved = 0;  // looks in a row; many streams would end for want of one buffer
    while (!session_.over()) {
        const bool more = co_await connection_.more();
        if (!more && starving(connection_) && ++starved < limits::buffer_looks) {
            Pause pause(connection_.loop());
            co_await pause;
            if (connection_.is_open()) continue;
        }
        if (!more) break;
        starved = 0;
        const std::string_view bytes = connection_.received();
        connection_.want_bulk(bytes.size() > limits::buffer_small / 2);
        session_.feed(bytes);
        connection_.consume(bytes.size());
        flush();
    }
    carrying_ = false;
    connection_.close();
    flush();
    co_await writer.join();
    const boost::system::error_code& broken = connection_.broken();
    session_.lost(broken ? broken : boost::asio::error::make_error_code(boost::asio::error::eof));
}

Task<void> Carrier::write_all() {
    EventLoop& loop = connection_.loop();
    const Connection::Patience patience;
    unsigned starved = 0;
    while (carrying_) {
        BufferLease buffer = bulk_ ? loop.bulk_buffers().lease() : BufferLease();
        if (!buffer) buffer = loop.small_buffers().lease();
        if (!buffer && ++starved < limits::buffer_looks) {
            Pause pause(loop);
            co_await pause;
            continue;
        }
        if (!buffer) {
            connection_.fail(ErrorKind::overloaded);
            co_return;
        }
        starved = 0;
        const std::size_t room = std::min(buffer.size(), limits::http2_write);
        const std::size_t size = session_.pull({buffer.data(), room});
        if (size > 0) {
            bulk_ = size >= limits::buffer_small;
            const IoResult sent = co_await connection_.write(patience, {buffer.data(), size});
            sent_total_ += sent.bytes;
            if (sent.error) co_return;  // the reader learns of it, and may still find an answer
            continue;
        }
        buffer.release();
        bulk_ = false;
        // Somebody's reset may have been the last thing to be said; the reader waits meanwhile.
        if (session_.over()) connection_.close();
        co_await Idle{*this};
    }
}

void Carrier::wake() {
    if (writer_) connection_.loop().resume_later(std::exchange(writer_, {}));
}

void Carrier::flush() {
    if (writer_) std::exchange(writer_, {}).resume();
}

}  // namespace scrollgate::http2
