#include "core/http2/link.hpp"

#include <boost/asio/error.hpp>

#include "core/limits.hpp"

namespace scrollgate::http2 {

Task<void> Link::carry() {
    carrying_ = true;
    Child writer;
    writer.start(write_all());
    while (!session_.over()) {
        const bool more = co_await this->more();
        if (!more) break;
        const std::string_view bytes = received();
        want_bulk(bytes.size() > limits::buffer_small / 2);
        session_.feed(bytes);
        consume(bytes.size());
        flush();
    }
    carrying_ = false;
    close();
    flush();
    co_await writer.join();
    session_.lost(broken() ? broken()
                           : boost::asio::error::make_error_code(boost::asio::error::eof));
}

Task<void> Link::write_all() {
    const Patience patience;
    while (carrying_) {
        BufferLease buffer = loop().small_buffers().lease();
        if (!buffer) {
            fail(ErrorKind::overloaded);
            co_return;
        }
        const std::size_t size = session_.pull({buffer.data(), buffer.size()});
        if (size > 0) {
            const IoResult sent = co_await write(patience, {buffer.data(), size});
            sent_total_ += sent.bytes;
            if (sent.error) co_return;  // the reader learns of it, and may still find an answer
            continue;
        }
        buffer.release();
        // Somebody's reset may have been the last thing to be said; the reader waits meanwhile.
        if (session_.over()) close();
        co_await Idle{*this};
    }
}

void Link::wake() {
    if (writer_) loop().resume_later(std::exchange(writer_, {}));
}

void Link::flush() {
    if (writer_) std::exchange(writer_, {}).resume();
}

}  // namespace scrollgate::http2
