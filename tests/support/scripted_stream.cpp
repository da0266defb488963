#include "tests/support/scripted_stream.hpp"

#include <algorithm>
#include <cerrno>

#include <boost/asio/error.hpp>

namespace scrollgate::test {

namespace error = boost::asio::error;

class ScriptedStream final : public Stream {
  public:
    ScriptedStream(std::shared_ptr<ScriptedPeer> peer, ScriptedDialer* dialer)
        : peer_(std::move(peer)), dialer_(dialer) {
        peer_->started();
    }
    ~ScriptedStream() override { peer_->gone(); }

    void start_connect(const SocketAddress& to, IoHandler& handler) override {
        peer_->address_ = to;
        if (dialer_ == nullptr) peer_->complain("a connected stream was connected again");
        if (dialer_ != nullptr && dialer_->on_connect) dialer_->on_connect(*peer_);
        peer_->connect(to, handler);
    }
    void start_read(std::span<char> into, IoHandler& handler) override {
        if (into.empty()) peer_->complain("a read without room");
        peer_->read(into, false, handler);
    }
    void start_wait_readable(IoHandler& handler) override { peer_->read({}, true, handler); }
    void cancel_read() noexcept override { peer_->cancel_read(); }
    bool quiet() noexcept override { return peer_->quiet(); }
    IoResult try_write(std::span<const iovec> data) noexcept override { return peer_->write(data); }
    void start_wait_writable(IoHandler& handler) override { peer_->wait_writable(handler); }
    void shutdown_write() noexcept override { peer_->shut(); }
    void close(bool reset) noexcept override { peer_->close(reset); }
    bool is_open() const noexcept override { return peer_->open_; }

  private:
    std::shared_ptr<ScriptedPeer> peer_;
    ScriptedDialer* dialer_;
};

// ---- the script

void ScriptedPeer::send(std::string bytes) {
    sent_ += bytes;
    if (!bytes.empty() && !ended_) input_.push_back(std::move(bytes));
    poke();
}

void ScriptedPeer::finish() {
    ended_ = true;
    poke();
}

void ScriptedPeer::reset() {
    break_off(ECONNRESET);
}

void ScriptedPeer::window(std::size_t bytes) {
    window_ = bytes;
    poke();
}

// ---- the stream's calls

void ScriptedPeer::started() {
    ++faults_.alive;
    ++faults_.open;
}

void ScriptedPeer::gone() noexcept {
    --faults_.alive;
    if (reader_ != nullptr || writer_ != nullptr) {
        complain("a stream was destroyed with an operation pending");
        reader_ = writer_ = nullptr;
    }
    close(false);
}

void ScriptedPeer::connect(const SocketAddress&, IoHandler& handler) {
    if (connected_once_) complain("a second connect");
    connected_once_ = connecting_ = true;
    write_way_ = faults_.next();
    writer_ = &handler;
    poke();
}

void ScriptedPeer::read(std::span<char> into, bool waits, IoHandler& handler) {
    if (reader_ != nullptr) complain("a second read beside a pending one");
    reader_ = &handler;
    into_ = into;
    read_waits_ = waits;
    read_cancelled_ = false;
    read_way_ = faults_.next();
    if (read_way_ == Way::end) {
        ended_ = true;
        input_.clear();
    }
    poke();
}

void ScriptedPeer::cancel_read() noexcept {
    if (writer_ != nullptr) complain("cancel_read() while a write is pending");
    read_cancelled_ = reader_ != nullptr;
    poke();
}

bool ScriptedPeer::quiet() const noexcept {
    return open_ && input_.empty() && !ended_ && !broken_;
}

IoResult ScriptedPeer::write(std::span<const iovec> data) noexcept {
    if (writer_ != nullptr) complain("a write beside a pending one");
    if (!open_) return {0, error::bad_descriptor};
    if (shut_) return {0, error::broken_pipe};
    std::string all;
    for (const iovec& part : data)
        all.append(static_cast<const char*>(part.iov_base), part.iov_len);
    if (all.empty()) complain("a write of nothing");
    const Way way = faults_.next();
    if (way == Way::stall) write_way_ = Way::stall;
    if (way == Way::reset || way == Way::end) break_off(ECONNRESET);
    if (broken_) return {0, broken_};
    if (write_way_ == Way::stall) return {};
    if (way == Way::late_reset) all.resize(all.size() / 2);
    all.resize(std::min(all.size(), window_));
    if (window_ != SIZE_MAX) window_ -= all.size();
    written_ += all;
    if (!all.empty()) {
        ++writes_;
        changed();
    }
    if (way == Way::late_reset) break_off(EPIPE);
    return {all.size(), {}};
}

void ScriptedPeer::wait_writable(IoHandler& handler) {
    if (writer_ != nullptr) complain("a second wait for writing beside a pending one");
    writer_ = &handler;
    const Way way = faults_.next();
    if (write_way_ != Way::stall) write_way_ = way;
    poke();
}

void ScriptedPeer::shut() noexcept {
    if (!open_ || shut_) return;
    shut_ = true;
    changed();
}

void ScriptedPeer::close(bool reset) noexcept {
    if (!open_) return;
    open_ = false;
    closed_by_reset_ = reset;
    --faults_.open;
    if (reader_ != nullptr || writer_ != nullptr) poke();
    changed();
}

// ---- through the loop

void ScriptedPeer::poke() {
    loop_.post([self = shared_from_this()] {
        self->serve_read();
        self->serve_write();
    });
}

void ScriptedPeer::changed() {
    if (!on_change_) return;
    loop_.post([self = shared_from_this()] { self->on_change_(*self); });
}

void ScriptedPeer::break_off(int error) {
    broken_ = {error, boost::system::system_category()};
    input_.clear();
    poke();
}

void ScriptedPeer::serve_read() {
    if (reader_ == nullptr) return;
    IoResult result;
    if (!open_ || read_cancelled_) {
        result.error = error::operation_aborted;
    } else if (read_way_ == Way::stall) {
        return;
    } else {
        if (read_way_ == Way::reset) break_off(ECONNRESET);
        if (input_.empty() && !ended_ && !broken_) return;
        if (read_way_ == Way::late_reset) break_off(ECONNRESET);
        if (read_waits_ && read_way_ == Way::none) {
            result = {};  // what there is to see, the read will tell
        } else if (broken_) {
            result.error = broken_;
        } else if (input_.empty()) {
            if (!read_waits_) result.error = error::eof;
        } else {
            std::string& next = input_.front();
            result.bytes = next.copy(into_.data(), into_.size());
            next.erase(0, result.bytes);
            if (next.empty()) input_.pop_front();
            delivered_ += result.bytes;
        }
    }
    std::exchange(reader_, nullptr)->done(result);
}

void ScriptedPeer::serve_write() {
    if (writer_ == nullptr) return;
    IoResult result;
    if (!open_) {
        result.error = error::operation_aborted;
    } else if (write_way_ == Way::stall || (connecting_ && connect_held_)) {
        return;
    } else if (write_way_ != Way::none) {
        break_off(connecting_ ? ECONNREFUSED : ECONNRESET);
        result.error = broken_;
    } else if (connecting_) {
        result.error = connect_result_;
    } else if (window_ == 0 && !broken_) {
        return;
    }
    connecting_ = false;
    write_way_ = Way::none;
    std::exchange(writer_, nullptr)->done(result);
}

std::unique_ptr<Stream> make_scripted_stream(std::shared_ptr<ScriptedPeer> peer) {
    return std::make_unique<ScriptedStream>(std::move(peer), nullptr);
}

std::unique_ptr<Stream> ScriptedDialer::open(EventLoop& loop, const DialPlan&) {
    peers.push_back(std::make_shared<ScriptedPeer>(loop, faults_));
    return std::make_unique<ScriptedStream>(peers.back(), this);
}

}  // namespace scrollgate::test
