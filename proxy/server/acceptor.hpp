// Acceptor: takes connections off one listening socket for one worker.
//
// The socket belongs to the ListenerSet and stays open; an Acceptor only watches it. It accepts in
// batches, so that one wake-up serves a burst, and rests when the process has no descriptor left.
#pragma once

#include <functional>

#include <boost/system/error_code.hpp>

#include "core/net/address.hpp"
#include "core/net/event_loop.hpp"

namespace scrollgate {

class Acceptor : private ReadinessHandler, private TimerWheel::Timer {
  public:
    /// Called with a connected, non-blocking descriptor that the callee owns.
    using OnAccept = std::function<void(int descriptor, const SocketAddress& peer)>;
    /// Called when accept() fails for want of descriptors or memory. Neither may end the Acceptor.
    using OnTrouble = std::function<void(const boost::system::error_code& error)>;

    Acceptor(EventLoop& loop, int descriptor, OnAccept on_accept, OnTrouble on_trouble);
    ~Acceptor() override;

    [[nodiscard]] int descriptor() const noexcept { return listening_; }
    /// Accepts everything that is queued now.
    void drain();

  private:
    void ready(std::uint32_t events) noexcept override;
    void expired() noexcept override;
    void watch();
    [[nodiscard]] bool take_one();
    void shed(int error);
    void rest();

    EventLoop& loop_;
    const int listening_;
    const OnAccept on_accept_;
    const OnTrouble on_trouble_;
    int spare_;
    bool resting_ = false;
};

}  // namespace scrollgate
