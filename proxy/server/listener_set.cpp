#include "proxy/server/listener_set.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include <fmt/format.h>
#include <linux/filter.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/log.hpp"

namespace scrollgate {
namespace {

constexpr int backlog = 4096;  // the kernel caps it at net.core.somaxconn

std::string explain(int error, const SocketAddress& address) {
    const std::string where = address.text();
    switch (error) {
        case EADDRINUSE:
            return fmt::format(
                "cannot listen on {}: another process listens there; stop it (see: ss "
                "-ltnp 'sport = :{}') or choose another port",
                where, address.port());
        case EACCES:
            return fmt::format(
                "cannot listen on {}: no permission; ports below 1024 need root or "
                "CAP_NET_BIND_SERVICE, choose a port from 1024 on",
                where);
        case EADDRNOTAVAIL:
            return fmt::format(
                "cannot listen on {}: this machine has no such address (see: ip addr)", where);
        default:
            return fmt::format("cannot listen on {}: {}", where, std::strerror(error));
    }
}

/// A bound socket, or -1 with errno; `shared` ones (SO_REUSEPORT) listen.
int bound_socket(const SocketAddress& address, bool shared) {
    const int fd =
        ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (fd < 0) return -1;
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (shared) ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (address.family() == AF_INET6) {
        const int v6only = 0;  // "[::]" takes IPv4, too, as people expect
        ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof v6only);
    }
    if (::bind(fd, address.data(), address.size()) == 0 &&
        (!shared || ::listen(fd, backlog) == 0)) {
        return fd;
    }
    const int error = errno;
    ::close(fd);
    errno = error;
    return -1;
}

/// An abstract socket that names the address: taken while some scrollgate process listens there.
int take_lock(const SocketAddress& address) {
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    const std::string text = "scrollgate-listener-" + address.text();
    std::memcpy(name.sun_path + 1, text.data(), std::min(text.size(), sizeof name.sun_path - 1));
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&name), size) == 0) return fd;
    const int error = errno;
    ::close(fd);
    errno = error;
    return -1;
}

}  // namespace

ListenerSet::~ListenerSet() {
    while (!entries_.empty())
        close(entries_.begin()->second.address);
}

std::string ListenerSet::open(const SocketAddress& address) {
    if (entries_.contains(address.text())) {
        return fmt::format(
            "cannot listen on {}: the listener of the last reload is still closing; "
            "reload again in a moment",
            address.text());
    }
    Entry entry{address, take_lock(address), {}};
    if (entry.lock < 0) return explain(errno, address);
    // A socket that shares with nobody sees whether anybody is there.
    const int probe = bound_socket(address, false);
    if (probe < 0) {
        const int error = errno;
        ::close(entry.lock);
        return explain(error, address);
    }
    ::close(probe);
    for (unsigned i = 0; i < workers_; ++i) {
        const int fd = bound_socket(address, true);
        if (fd < 0) {
            const int error = errno;
            for (const int opened : entry.sockets)
                ::close(opened);
            ::close(entry.lock);
            return explain(error, address);
        }
        entry.sockets.push_back(fd);
    }
    entries_.emplace(address.text(), std::move(entry));
    return {};
}

const std::vector<int>& ListenerSet::sockets(const SocketAddress& address) const {
    return entries_.at(address.text()).sockets;
}

bool ListenerSet::has(const SocketAddress& address) const {
    const auto found = entries_.find(address.text());
    return found != entries_.end() && !found->second.leaving;
}

void ListenerSet::seal(const SocketAddress& address) {
    // Sees a segment from its TCP header on: drops every SYN, lets handshakes under way finish.
    sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),            // flags
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x02, 0, 1),  // SYN?
        BPF_STMT(BPF_RET | BPF_K, 0),                      // dropped; the client tries again
        BPF_STMT(BPF_RET | BPF_K, 0xffffffffU),
    };
    const sock_fprog program{4, steps};
    Entry& entry = entries_.at(address.text());
    entry.leaving = true;
    for (const int fd : entry.sockets) {
        if (::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0) {
            log::warn("{}: connections that come while it closes may be reset: {}", address.text(),
                      std::strerror(errno));
        }
    }
}

void ListenerSet::close(const SocketAddress& address) noexcept {
    const auto found = entries_.find(address.text());
    if (found == entries_.end()) return;
    for (const int fd : found->second.sockets)
        ::close(fd);
    ::close(found->second.lock);
    entries_.erase(found);
}

std::vector<SocketAddress> ListenerSet::addresses() const {
    std::vector<SocketAddress> all;
    for (const auto& [text, entry] : entries_) {
        if (!entry.leaving) all.push_back(entry.address);
    }
    return all;
}

}  // namespace scrollgate
