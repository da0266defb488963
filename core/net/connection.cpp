#include "core/net/connection.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

#include <boost/asio/error.hpp>

#include "core/limits.hpp"

namespace scrollgate {

Connection::Connection(Connection&& before) noexcept
    : IoHandler(),
      Timer(),
      loop_(before.loop_),
      stream_(std::move(before.stream_)),
      buffer_(std::move(before.buffer_)),
      begin_(before.begin_),
      end_(before.end_),
      received_total_(before.received_total_),
      broken_(before.broken_),
      ended_(before.ended_) {
    assert(!before.busy() && before.pinned_ == 0 && !before.pinned_buffer_);
}

// ---- reading

void Connection::unpin() noexcept {
    pinned_ = 0;
    pinned_buffer_.release();
}

bool Connection::reserve(std::size_t size) {
    assert(!reading_ && pinned_ == 0 && !pinned_buffer_);
    if (!make_room() && !buffer_) return false;
    if (buffer_.size() - begin_ >= size) return true;
    if (buffer_.size() < size) {
        BufferLease larger = loop_.bulk_buffers().lease();
        if (!larger || larger.size() < size) return false;
        std::memcpy(larger.data(), buffer_.data() + begin_, end_ - begin_);
        buffer_ = std::move(larger);
    } else {
        std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    }
    end_ -= begin_;
    begin_ = 0;
    return true;
}

// Changes between small and large buffer while nothing unconsumed is in the present one. When no
// large one is free, the small one does; while a head is pinned in the large one, that stays. A
// spare one goes back: there may be others again.
void Connection::switch_buffer() {
    if (buffer_.size() < limits::buffer_small && pinned_ == 0) return buffer_.release();
    const bool large = buffer_.size() > limits::buffer_small;
    if (large == bulk_wanted_) return;
    if (!bulk_wanted_) {
        if (pinned_ == 0) buffer_.release();
        return;
    }
    BufferLease bulk = loop_.bulk_buffers().lease();
    if (!bulk) return;
    if (pinned_ != 0) pinned_buffer_ = std::move(buffer_);
    buffer_ = std::move(bulk);
    begin_ = end_ = pinned_ = 0;
}

// A head that fills its buffer keeps it for itself; what follows is read into another one.
void Connection::leave_pinned() {
    if (pinned_ == 0 || buffer_.size() - pinned_ >= buffer_.size() / 4) return;
    pinned_buffer_ = std::move(buffer_);
    begin_ = end_ = pinned_ = 0;
}

bool Connection::make_room() {
    if (buffer_ && begin_ == end_) {
        switch_buffer();
        leave_pinned();
    }
    if (!buffer_) {
        buffer_ = spares_ ? loop_.shared_buffer(false) : loop_.small_buffers().lease();
        begin_ = end_ = pinned_ = 0;
        starved_ = !buffer_;
        return !starved_;
    }
    if (begin_ == end_) {
        begin_ = end_ = pinned_;
    } else if (end_ == buffer_.size() && begin_ > pinned_) {
        std::memmove(buffer_.data() + pinned_, buffer_.data() + begin_, end_ - begin_);
        end_ = pinned_ + (end_ - begin_);
        begin_ = pinned_;
    }
    return end_ < buffer_.size();
}

void Connection::arm() {
    if (reading_ || ended_ || failure_ || !make_room()) return;
    reading_ = true;
    stream_->start_read({buffer_.data() + end_, buffer_.size() - end_}, *this);
}

void Connection::interrupt() {
    input_awaited_ = false;
    if (reader_) loop_.resume_later(std::exchange(reader_, {}));
}

void Connection::park() {
    if (!reading_ || parking_ || parked_ || begin_ != end_ || pinned_ != 0 || pinned_buffer_)
        return;
    parking_ = true;
    stream_->cancel_read();
}

void Connection::done(IoResult result) noexcept {
    if (parking_) {
        parking_ = false;
        if (result.error == boost::asio::error::operation_aborted && stream_->is_open()) {
            buffer_.release();
            begin_ = end_ = 0;
            parked_ = true;
            stream_->start_wait_readable(*this);
            return;
        }
    }
    reading_ = false;
    const bool only_told = std::exchange(input_awaited_, false);
    if (std::exchange(parked_, false) && !result.error && !only_told) {
        arm();
        if (reading_) return;
    }
    if (result.error) {
        ended_ = true;
        if (result.error != boost::asio::error::eof) broken_ = result.error;
    } else if (result.bytes > 0) {
        spliced_ = false;
        end_ += static_cast<std::uint32_t>(result.bytes);
        received_total_ += result.bytes;
    }
    if (std::coroutine_handle<> reader = std::exchange(reader_, {})) {
        reader.resume();
    } else {
        input_seen();
    }
}

// ---- splicing

std::size_t Connection::splice(Pipe& pipe, std::size_t most) noexcept {
    assert(can_splice() && pipe.held() == 0);
    const IoResult result = stream_->splice_in(pipe, most);
    if (result.error) {
        ended_ = true;
        if (result.error != boost::asio::error::eof) broken_ = result.error;
    }
    if (result.bytes > 0) spliced_ = true;
    received_total_ += result.bytes;
    return result.bytes;
}

// As a parked connection waits, but what it has waited for is not read.
void Connection::await_input() {
    if (reading_ || ended_ || failure_) return;
    if (begin_ == end_ && pinned_ == 0 && !pinned_buffer_) {
        buffer_.release();
        begin_ = end_ = 0;
    }
    reading_ = parked_ = true;
    stream_->start_wait_readable(*this);
}

// ---- deadlines

void Connection::expire_at(Way way, TimePoint when, ErrorKind kind) {
    deadlines_[static_cast<std::size_t>(way)] = {when, kind};
    if (when >= armed_for_) return;  // the timer fires earlier and looks again
    armed_for_ = when;
    loop_.arm(*this, when);
}

void Connection::expired() noexcept {
    armed_for_ = never;
    const TimePoint now = loop_.now();
    Deadline& first = deadlines_[0].at <= deadlines_[1].at ? deadlines_[0] : deadlines_[1];
    if (first.at <= now) {
        first.at = never;
        const TimePoint other = std::min(deadlines_[0].at, deadlines_[1].at);
        if (other != never) {
            armed_for_ = other;
            loop_.arm(*this, other);
        }
        deadline_passed(first.kind);
    } else if (first.at != never) {
        armed_for_ = first.at;
        loop_.arm(*this, first.at);
    }
}

void Connection::fail(ErrorKind kind) noexcept {
    if (!failure_) failure_ = kind;
    stream_->close(false);
}

// ---- writing

Connection::Write::Write(Connection& self, const Patience& patience,
                         const std::array<std::string_view, 3>& parts, Pipe* pipe) noexcept
    : self_(self), pipe_(pipe), patience_(patience) {
    for (const std::string_view part : parts) {
        if (!part.empty()) parts_[count_++] = {const_cast<char*>(part.data()), part.size()};
    }
}

// The parts, or when they have gone, the pipe.
IoResult Connection::Write::try_once() noexcept {
    if (first_ == count_) return self_.stream_->splice_out(*pipe_);
    const IoResult sent = self_.stream_->try_write({parts_.data() + first_, count_ - first_});
    if (!sent.error) advance(sent.bytes);
    return sent;
}

void Connection::Write::advance(std::size_t bytes) noexcept {
    while (first_ < count_ && bytes >= parts_[first_].iov_len)
        bytes -= parts_[first_++].iov_len;
    if (bytes == 0) return;
    iovec& partly = parts_[first_];
    partly = {static_cast<char*>(partly.iov_base) + bytes, partly.iov_len - bytes};
}

// True when there is nothing left to wait for.
bool Connection::Write::attempt() noexcept {
    while (first_ < count_ || (pipe_ != nullptr && pipe_->held() > 0)) {
        if (self_.failure_ || !self_.stream_->is_open()) {
            error_ = boost::asio::error::operation_aborted;
            return true;
        }
        const IoResult sent = try_once();
        if (sent.error) {
            error_ = sent.error;
            return true;
        }
        if (sent.bytes == 0) return false;
        written_ += sent.bytes;
    }
    return true;
}

void Connection::Write::await_suspend(std::coroutine_handle<> waiting) {
    waiting_ = waiting;
    self_.writing_ = true;
    wait();
}

void Connection::Write::wait() {
    const TimePoint stall = after(self_.loop_.now(), patience_.stall);
    const bool hard = patience_.until < stall;
    self_.expire_at(Way::write, hard ? patience_.until : stall,
                    hard ? patience_.out_of_time : patience_.stalled);
    self_.stream_->start_wait_writable(*this);
}

void Connection::Write::done(IoResult result) noexcept {
    if (result.error) {
        error_ = result.error;
    } else if (!attempt()) {
        wait();
        return;
    }
    self_.writing_ = false;
    self_.expire_at(Way::write, never, ErrorKind::cancelled);
    waiting_.resume();
}

// ---- connecting

void Connection::Connect::await_suspend(std::coroutine_handle<> waiting) {
    waiting_ = waiting;
    self_.writing_ = true;
    self_.stream_->start_connect(peer_, *this);
}

void Connection::Connect::done(IoResult result) noexcept {
    error_ = result.error;
    self_.writing_ = false;
    waiting_.resume();
}

}  // namespace scrollgate
