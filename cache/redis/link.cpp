#include "cache/redis/link.hpp"

#include <algorithm>
#include <array>

#include <boost/asio/error.hpp>

#include "core/limits.hpp"

namespace scrollgate::redis {

void Link::Port::done(IoResult result) noexcept {
    Link& link = link_;
    pending = false;
    if (link.owner_ != nullptr) {
        link.inside_ = true;
        (link.*call_)(result);
        link.inside_ = false;
    }
    link.end_if_idle();
}

Link::Link(EventLoop& loop, std::unique_ptr<Stream> stream, Owner& owner, Statistics& statistics)
    : loop_(loop),
      stream_(std::move(stream)),
      owner_(&owner),
      statistics_(statistics),
      connect_(*this, &Link::was_connected),
      read_(*this, &Link::was_read),
      write_(*this, &Link::has_room),
      flush_(*this, &Link::flush),
      reader_(limits::redis_reply) {}

// ---- the end

void Link::dismiss() noexcept {
    owner_ = nullptr;
    stream_->close(false);
    // Whoever is told may ask again, elsewhere.
    std::deque<FlightPtr> lost;
    lost.swap(flights_);
    for (const FlightPtr& flight : lost) {
        if (flight->purpose == Flight::Purpose::question ||
            flight->purpose == Flight::Purpose::told) {
            Statistics::add(statistics_.lost, 1);
        }
        flight->fail(ErrorKind::upstream_reset, "redis: the connection was lost");
    }
    lost.clear();
    end_if_idle();
}

void Link::end_if_idle() noexcept {
    if (owner_ != nullptr || inside_) return;
    if (connect_.pending || read_.pending || write_.pending || flush_.pending) return;
    delete this;
}

// ---- connecting

void Link::connect(const SocketAddress& peer) {
    connect_.pending = true;
    stream_->start_connect(peer, connect_);
}

void Link::was_connected(const IoResult& result) noexcept {
    heard_ = loop_.now();
    if (!result.error) read();
    if (owner_ != nullptr) owner_->connected(result.error);
}

// ---- writing

void Link::submit(FlightPtr flight) {
    flight->submitted = loop_.now();
    flights_.push_back(std::move(flight));
    if (flush_.pending) return;
    flush_.pending = true;
    loop_.complete_later(flush_, {});
}

void Link::flush(const IoResult&) noexcept {
    while (owner_ != nullptr && !write_.pending && written_ < flights_.size()) {
        if (!write_some()) return;
    }
}

void Link::has_room(const IoResult& result) noexcept {
    if (result.error) {
        owner_->broken(result.error.message());
        return;
    }
    flush({});
}

/// False when there is nothing left to do now.
bool Link::write_some() noexcept {
    std::array<iovec, limits::redis_writes> parts;
    const std::size_t count = gather(parts.data());
    if (count == 0) return false;
    const IoResult sent = stream_->try_write({parts.data(), count});
    if (sent.error) {
        owner_->broken(sent.error.message());
        return false;
    }
    if (sent.bytes == 0) {
        write_.pending = true;
        stream_->start_wait_writable(write_);
        return false;
    }
    Statistics::add(statistics_.bytes_out, sent.bytes);
    advance(sent.bytes);
    return true;
}

std::size_t Link::gather(iovec* parts) noexcept {
    std::size_t count = 0;
    for (std::size_t i = written_; i < flights_.size() && count < limits::redis_writes;) {
        if (i >= given_ && flights_[i]->forgotten()) {
            flights_.erase(flights_.begin() + static_cast<std::ptrdiff_t>(i));
            continue;
        }
        const std::string_view bytes = flights_[i]->command.wire();
        const std::size_t skip = i == written_ ? offset_ : 0;
        parts[count++] = {const_cast<char*>(bytes.data()) + skip, bytes.size() - skip};
        ++i;
    }
    given_ = std::max(given_, written_ + count);
    return count;
}

void Link::advance(std::size_t bytes) noexcept {
    while (bytes > 0) {
        const std::size_t left = flights_[written_]->command.wire().size() - offset_;
        if (bytes < left) {
            offset_ += bytes;
            return;
        }
        bytes -= left;
        offset_ = 0;
        ++written_;
    }
}

// ---- reading

void Link::read() noexcept {
    if (!buffer_) buffer_ = loop_.small_buffers().lease();
    if (!buffer_) {
        owner_->broken("out of buffers");
        return;
    }
    read_.pending = true;
    stream_->start_read({buffer_.data(), buffer_.size()}, read_);
}

/// Long values are read through a large buffer, if one is free, while they last.
void Link::choose_buffer(std::size_t got) noexcept {
    const bool large = buffer_.size() > limits::buffer_small;
    if (!large && got == buffer_.size()) {
        if (BufferLease bulk = loop_.bulk_buffers().lease()) buffer_ = std::move(bulk);
    } else if (large && got <= limits::buffer_small) {
        if (BufferLease small = loop_.small_buffers().lease()) buffer_ = std::move(small);
    }
}

void Link::was_read(const IoResult& result) noexcept {
    if (result.error) {
        const bool ended = result.error == boost::asio::error::eof;
        owner_->broken(ended ? "the server closed the connection" : result.error.message());
        return;
    }
    heard_ = loop_.now();
    Statistics::add(statistics_.bytes_in, result.bytes);
    reader_.feed({buffer_.data(), result.bytes});
    if (!hand_out()) return;
    choose_buffer(result.bytes);
    read();
}

/// False if the link is over.
bool Link::hand_out() noexcept {
    for (;;) {
        Reply reply;
        const ReplyReader::Next next = reader_.next(reply);
        if (next == ReplyReader::Next::more) return true;
        if (next == ReplyReader::Next::broken) {
            owner_->broken(reader_.wrong());
            return false;
        }
        if (owner_->pushed(reply)) {
            if (owner_ == nullptr) return false;
            continue;
        }
        if (flights_.empty() || written_ == 0) {
            // Servers that turn a connection away say so unasked.
            owner_->broken(reply.is_error() ? reply.text : "a reply that nobody asked for");
            return false;
        }
        FlightPtr flight = std::move(flights_.front());
        flights_.pop_front();
        --written_;
        --given_;
        owner_->answered(std::move(flight), std::move(reply));
        if (owner_ == nullptr) return false;
    }
}

}  // namespace scrollgate::redis
