#include "bench/drill/kernel_sockets.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <functional>
#include <stdexcept>

#include <fmt/format.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "bench/drill/network_namespace.hpp"
#include "bench/plan/url.hpp"

namespace scrollgate::bench {
namespace {

constexpr unsigned established = 1, close_wait = 8, listening = 10;  // as the kernel numbers them

SocketAddress address_from(int family, std::uint16_t port, const std::uint32_t* words) {
    sockaddr_storage storage{};
    auto* const any = reinterpret_cast<sockaddr*>(&storage);
    if (family == AF_INET) {
        auto* const v4 = reinterpret_cast<sockaddr_in*>(any);
        v4->sin_family = AF_INET;
        v4->sin_port = port;
        v4->sin_addr.s_addr = words[0];
        return {any, sizeof *v4};
    }
    auto* const v6 = reinterpret_cast<sockaddr_in6*>(any);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = port;
    std::memcpy(&v6->sin6_addr, words, sizeof v6->sin6_addr);
    return {any, sizeof *v6};
}

/// The attribute of `kind` behind the message's own part, as much of it as this kernel gives.
tcp_info tcp_info_of(const nlmsghdr& head, const inet_diag_msg& message) {
    tcp_info info{};
    auto left = static_cast<int>(head.nlmsg_len - NLMSG_LENGTH(sizeof message));
    for (const auto* at = reinterpret_cast<const rtattr*>(&message + 1); RTA_OK(at, left);
         at = RTA_NEXT(at, left)) {
        if (at->rta_type == INET_DIAG_INFO)
            std::memcpy(&info, RTA_DATA(at), std::min<std::size_t>(sizeof info, RTA_PAYLOAD(at)));
    }
    return info;
}

KernelSocket socket_from(const nlmsghdr& head) {
    const auto& message = *static_cast<const inet_diag_msg*>(NLMSG_DATA(&head));
    KernelSocket socket;
    socket.local = address_from(message.idiag_family, message.id.idiag_sport, message.id.idiag_src);
    socket.remote =
        address_from(message.idiag_family, message.id.idiag_dport, message.id.idiag_dst);
    socket.listening = message.idiag_state == listening;
    socket.inode = message.idiag_inode;
    if (socket.listening) return socket;  // its queues are counts of connections
    socket.unread = message.idiag_rqueue;
    socket.unacknowledged = message.idiag_wqueue;
    const tcp_info info = tcp_info_of(head, message);
    const bool sent = info.tcpi_data_segs_out > 0, received = info.tcpi_bytes_received > 0;
    socket.peer_spoke_last =
        received && (!sent || info.tcpi_last_data_recv < info.tcpi_last_data_sent);
    socket.we_spoke_last =
        sent && (!received || info.tcpi_last_data_sent < info.tcpi_last_data_recv);
    return socket;
}

[[noreturn]] void cannot_ask(int error) {
    throw std::runtime_error(
        fmt::format("the kernel does not list its connections: {}", std::strerror(error)));
}

/// Appends what one datagram of the answer holds; false when it was the last.
bool take_answer(const char* data, std::size_t size, std::vector<KernelSocket>& sockets) {
    const auto* head = reinterpret_cast<const nlmsghdr*>(data);
    for (auto left = static_cast<unsigned>(size); NLMSG_OK(head, left);
         head = NLMSG_NEXT(head, left)) {
        if (head->nlmsg_type == NLMSG_DONE) return false;
        if (head->nlmsg_type == NLMSG_ERROR)
            cannot_ask(-static_cast<const nlmsgerr*>(NLMSG_DATA(head))->error);
        if (head->nlmsg_type == SOCK_DIAG_BY_FAMILY) sockets.push_back(socket_from(*head));
    }
    return true;
}

void dump(int fd, std::uint8_t family, std::vector<KernelSocket>& sockets) {
    struct {
        nlmsghdr head;
        inet_diag_req_v2 wanted;
    } request{};
    request.head.nlmsg_len = sizeof request;
    request.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    request.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    request.wanted.sdiag_family = family;
    request.wanted.sdiag_protocol = IPPROTO_TCP;
    request.wanted.idiag_ext = 1 << (INET_DIAG_INFO - 1);
    request.wanted.idiag_states = 1U << established | 1U << close_wait | 1U << listening;
    if (::send(fd, &request, sizeof request, 0) < 0) cannot_ask(errno);
    alignas(nlmsghdr) std::array<char, 64 * 1024> answer;
    while (true) {
        const ssize_t size = ::recv(fd, answer.data(), answer.size(), 0);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) cannot_ask(errno);
        if (!take_answer(answer.data(), static_cast<std::size_t>(size), sockets)) return;
    }
}

/// Inodes of the sockets that a process has open.
std::set<std::uint64_t> inodes_of(int pid) {
    std::set<std::uint64_t> inodes;
    std::error_code error;
    for (const auto& entry :
         std::filesystem::directory_iterator(fmt::format("/proc/{}/fd", pid), error)) {
        const std::string link = std::filesystem::read_symlink(entry.path(), error).string();
        if (!link.starts_with("socket:[")) continue;
        std::uint64_t inode = 0;
        std::from_chars(link.data() + 8, link.data() + link.size(), inode);
        inodes.insert(inode);
    }
    return inodes;
}

/// … and of all other processes whose sockets we may see.
std::set<std::uint64_t> inodes_of_others(int pid) {
    std::set<std::uint64_t> inodes;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
        const std::string name = entry.path().filename().string();
        int other = 0;
        const auto [end, wrong] = std::from_chars(name.data(), name.data() + name.size(), other);
        if (wrong != std::errc() || end != name.data() + name.size() || other == pid) continue;
        inodes.merge(inodes_of(other));
    }
    return inodes;
}

bool is_wildcard(const SocketAddress& address) {
    const std::string ip = address.ip();
    return ip == "0.0.0.0" || ip == "::";
}

}  // namespace

KernelSockets::KernelSockets(int pid) {
    NetworkNamespace(pid).inside(
        [this] { fd_ = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG); });
    if (fd_ < 0)
        throw BadInput(fmt::format("a drill asks the kernel for its connections (sock_diag): {}",
                                   std::strerror(errno)));
    const timeval patience{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

KernelSockets::~KernelSockets() {
    ::close(fd_);
}

std::vector<KernelSocket> KernelSockets::all() const {
    std::vector<KernelSocket> sockets;
    dump(fd_, AF_INET, sockets);
    dump(fd_, AF_INET6, sockets);
    return sockets;
}

bool ListenAddress::takes(const SocketAddress& local) const {
    return local.port() == at.port() && (local.ip() == at.ip() || is_wildcard(at));
}

std::vector<ListenAddress> listen_addresses(const KernelSockets& kernel, int pid) {
    const std::set<std::uint64_t> mine = inodes_of(pid), others = inodes_of_others(pid);
    std::vector<SocketAddress> theirs;
    std::vector<ListenAddress> addresses;
    for (const KernelSocket& socket : kernel.all()) {
        if (!socket.listening) continue;
        if (mine.contains(socket.inode)) addresses.push_back({socket.local});
        if (others.contains(socket.inode)) theirs.push_back(socket.local);
    }
    for (ListenAddress& address : addresses)
        address.shared = std::any_of(theirs.begin(), theirs.end(), [&](const SocketAddress& other) {
            return address.takes(other) || ListenAddress{other}.takes(address.at);
        });
    return addresses;
}

std::uint64_t requests_on(const KernelSockets& kernel, int pid,
                          const std::vector<ListenAddress>& addresses) {
    const std::set<std::uint64_t> mine = inodes_of(pid);
    const auto all = kernel.all();
    const auto counts = [&](const KernelSocket& socket) {
        if (socket.listening) return false;
        const auto taken = std::find_if(addresses.begin(), addresses.end(),
                                        [&](const auto& a) { return a.takes(socket.local); });
        if (taken == addresses.end()) return false;
        if (socket.inode == 0) return !taken->shared && socket.unread > 0;
        return mine.contains(socket.inode) && (socket.unread > 0 || socket.peer_spoke_last);
    };
    return static_cast<std::uint64_t>(std::count_if(all.begin(), all.end(), counts));
}

std::uint64_t requests_towards(const KernelSockets& kernel, const SocketAddress& peer) {
    const auto all = kernel.all();
    const auto counts = [&](const KernelSocket& socket) {
        return !socket.listening && socket.remote.ip() == peer.ip() &&
               (peer.port() == 0 || socket.remote.port() == peer.port()) &&
               (socket.unacknowledged > 0 || socket.we_spoke_last);
    };
    return static_cast<std::uint64_t>(std::count_if(all.begin(), all.end(), counts));
}

}  // namespace scrollgate::bench
