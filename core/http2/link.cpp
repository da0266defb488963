#include "core/http2/link.hpp"

#include <algorithm>

#include <boost/asio/error.hpp>

#include "core/limits.hpp"

namespace scrollgate::http2 {

Task<void> Carrier::carry() {
    carrying_ = true;
    Child writer;
    writer.start(write_all());
    connection_.use_spares();
    while (!session_.over()) {
        const bool more = co_await connection_.more();
        if (!more) break;
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
    while (carrying_) {
        BufferLease buffer = loop.shared_buffer(bulk_);
        if (!buffer) {
            connection_.fail(ErrorKind::overloaded);
            co_return;
        }
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
