// AresChannel: c-ares in an io_context. c-ares tells which of its sockets it wants to read or
// write, each wait that fires lets it process that socket, and one timer stands for the earliest of
// its own timeouts. One thread: that of the io_context.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include <ares.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace scrollgate {

/// Only as a shared_ptr: handlers hold it weakly, so that they may outlive it. While nothing is
/// asked it has no socket, no timer and no other work in the io_context.
class AresChannel : public std::enable_shared_from_this<AresChannel> {
  public:
    /// `progressed` runs after c-ares has processed events, maybe after answers; it may ask.
    AresChannel(boost::asio::io_context& io, std::function<void()> progressed);
    ~AresChannel();
    AresChannel(const AresChannel&) = delete;
    AresChannel& operator=(const AresChannel&) = delete;

    /// Anew, with the system's configuration as it is now. `servers` as in CaresResolver::Options;
    /// `timeout` is of one question, all tries together. Returns why that failed, or nothing.
    [[nodiscard]] std::string open(const std::string& servers, std::chrono::milliseconds timeout);
    /// What is under way is told ARES_EDESTRUCTION.
    void close() noexcept;
    [[nodiscard]] bool is_open() const noexcept { return channel_ != nullptr; }

    /// Asks the servers for the addresses of one family. `tell` is called exactly once with
    /// `argument`, maybe before this returns; a result is its to free. Only if it is open.
    void ask(const std::string& host, int family, ares_addrinfo_callback tell, void* argument);
    /// Looks into /etc/hosts, for both families; `tell` is called before this returns.
    void look_up(const std::string& host, ares_addrinfo_callback tell, void* argument);
    /// A call into c-ares is on the stack.
    [[nodiscard]] bool busy() const noexcept { return depth_ > 0; }

  private:
    struct Socket;
    void socket_state(int fd, bool read, bool write);
    void wait(int fd, const std::shared_ptr<Socket>& socket);
    void process(int read_fd, int write_fd);
    void arm_timer();

    boost::asio::io_context& io_;
    std::function<void()> progressed_;
    boost::asio::steady_timer timer_;
    std::map<int, std::shared_ptr<Socket>> sockets_;
    ares_channel channel_ = nullptr;
    ares_channel files_ = nullptr;  ///< asks no server
    int depth_ = 0;                 ///< calls into c-ares on the stack
};

}  // namespace scrollgate
