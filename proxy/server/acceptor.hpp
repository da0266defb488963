// Acceptor: takes connections off one listening socket for one worker.
//
// The socket belongs to the ListenerSet and stays open; an Acceptor only waits on it. It accepts in
// batches, so that one wake-up serves a burst, and pauses when the process has no descriptor left.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/system/error_code.hpp>

#include "core/net/address.hpp"
#include "core/net/event_loop.hpp"

namespace scrollgate {

class Acceptor {
  public:
    /// Called with a connected, non-blocking descriptor that the callee owns.
    using OnAccept = std::function<void(int descriptor, const SocketAddress& peer)>;
    /// Called when accept() fails for want of descriptors or memory.
    using OnTrouble = std::function<void(const boost::system::error_code& error)>;

    Acceptor(EventLoop& loop, int descriptor, OnAccept on_accept, OnTrouble on_trouble);
    ~Acceptor();

    [[nodiscard]] int descriptor() const noexcept;
    /// Accepts everything that is queued now.
    void drain();

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace scrollgate
