#include "core/net/ares_channel.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/posix/stream_descriptor.hpp>

namespace scrollgate {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

void ask_channel(ares_channel channel, const std::string& host, int family,
                 ares_addrinfo_callback tell, void* argument) {
    ares_addrinfo_hints hints{};
    hints.ai_family = family;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = ARES_AI_NOSORT;  // sorting would open a socket per address
    ares_getaddrinfo(channel, host.c_str(), nullptr, &hints, tell, argument);
}

}  // namespace

/// One of c-ares's sockets. c-ares opens and closes it; asio only waits for it.
struct AresChannel::Socket {
    Socket(asio::io_context& io, int fd) : descriptor(io, fd) {}
    asio::posix::stream_descriptor descriptor;
    bool wants_read = false, wants_write = false;    ///< what c-ares asked for
    bool awaits_read = false, awaits_write = false;  ///< waits that are pending
};

AresChannel::AresChannel(asio::io_context& io, std::function<void()> progressed)
    : io_(io), progressed_(std::move(progressed)), timer_(io) {
    ares_library_init(ARES_LIB_INIT_ALL);
}

AresChannel::~AresChannel() {
    close();
    ares_library_cleanup();
}

std::string AresChannel::open(const std::string& servers, std::chrono::milliseconds timeout) {
    close();
    ares_options wanted{};
    // Two tries, of which c-ares doubles the second: together a little more than the deadline.
    wanted.timeout = std::max(1, static_cast<int>(timeout.count() * 2 / 5));
    wanted.tries = 2;
    wanted.sock_state_cb_data = this;
    wanted.sock_state_cb = [](void* self, ares_socket_t fd, int readable, int writable) {
        static_cast<AresChannel*>(self)->socket_state(fd, readable != 0, writable != 0);
    };
    char dns[] = "b", file[] = "f";
    wanted.lookups = dns;
    int status = ares_init_options(
        &channel_, &wanted,
        ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB | ARES_OPT_LOOKUPS);
    if (status != ARES_SUCCESS) channel_ = nullptr;
    if (status == ARES_SUCCESS && !servers.empty()) {
        status = ares_set_servers_ports_csv(channel_, servers.c_str());
    }
    ares_options local{};
    local.lookups = file;
    if (status == ARES_SUCCESS) status = ares_init_options(&files_, &local, ARES_OPT_LOOKUPS);
    if (status == ARES_SUCCESS) return {};
    close();
    return ares_strerror(status);
}

void AresChannel::close() noexcept {
    for (ares_channel* one : {&channel_, &files_}) {
        if (*one != nullptr) ares_destroy(*one);
        *one = nullptr;
    }
    for (auto& [fd, socket] : sockets_)
        socket->descriptor.release();
    sockets_.clear();
}

void AresChannel::ask(const std::string& host, int family, ares_addrinfo_callback tell,
                      void* argument) {
    ++depth_;
    ask_channel(channel_, host, family, tell, argument);
    --depth_;
    if (!busy()) arm_timer();
}

void AresChannel::look_up(const std::string& host, ares_addrinfo_callback tell, void* argument) {
    ask_channel(files_, host, AF_UNSPEC, tell, argument);
}

/// c-ares wants these events of this socket from now on; none means that it closes it now.
void AresChannel::socket_state(int fd, bool read, bool write) {
    const auto known = sockets_.find(fd);
    if (!read && !write) {
        if (known == sockets_.end()) return;
        known->second->wants_read = known->second->wants_write = false;
        known->second->descriptor.release();  // cancels the waits, leaves closing to c-ares
        sockets_.erase(known);
        return;
    }
    std::shared_ptr<Socket> socket =
        known != sockets_.end() ? known->second : std::make_shared<Socket>(io_, fd);
    socket->wants_read = read;
    socket->wants_write = write;
    if (known == sockets_.end()) sockets_.emplace(fd, socket);
    wait(fd, socket);
}

void AresChannel::wait(int fd, const std::shared_ptr<Socket>& socket) {
    const auto await = [&](bool wanted, bool Socket::*pending, bool for_read) {
        if (!wanted || (*socket).*pending) return;
        (*socket).*pending = true;
        const auto event = for_read ? asio::posix::descriptor_base::wait_read
                                    : asio::posix::descriptor_base::wait_write;
        socket->descriptor.async_wait(
            event, [weak = weak_from_this(), fd, socket, pending, for_read](error_code error) {
                (*socket).*pending = false;
                const auto self = weak.lock();
                if (error || !self) return;
                const bool wants = for_read ? socket->wants_read : socket->wants_write;
                if (wants)
                    self->process(for_read ? fd : ARES_SOCKET_BAD, for_read ? ARES_SOCKET_BAD : fd);
                // Only if c-ares has not closed it meanwhile (and maybe reused the number).
                const auto now = self->sockets_.find(fd);
                if (now != self->sockets_.end() && now->second == socket) self->wait(fd, socket);
            });
    };
    await(socket->wants_read, &Socket::awaits_read, true);
    await(socket->wants_write, &Socket::awaits_write, false);
}

void AresChannel::process(int read_fd, int write_fd) {
    if (channel_ == nullptr) return;
    ++depth_;
    ares_process_fd(channel_, read_fd, write_fd);
    --depth_;
    progressed_();
    arm_timer();
}

/// As c-ares wants it now.
void AresChannel::arm_timer() {
    timeval left{};
    if (channel_ == nullptr || ares_timeout(channel_, nullptr, &left) == nullptr) {
        timer_.cancel();  // nothing is outstanding
        return;
    }
    timer_.expires_after(std::chrono::seconds(left.tv_sec) +
                         std::chrono::microseconds(left.tv_usec));
    timer_.async_wait([weak = weak_from_this()](error_code error) {
        const auto self = weak.lock();
        if (!error && self) self->process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    });
}

}  // namespace scrollgate
