#include "bench/drill/kernel_sockets.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <vector>

#include <fmt/format.h>

namespace scrollgate::bench {
namespace {

constexpr unsigned established = 1, close_wait = 8, listening = 10;

std::string slurp(const std::string& name) {
    std::ifstream in(name);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::uint64_t from_hex(std::string_view text) {
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number, 16);
    return number;
}

/// "0100007F:1F90": words of the address as this machine stores them, then the port.
std::optional<SocketAddress> address_from(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon != 8 && colon != 32) return {};
    const auto port = static_cast<std::uint16_t>(from_hex(text.substr(colon + 1)));
    sockaddr_storage storage{};
    auto* const any = reinterpret_cast<sockaddr*>(&storage);
    const auto word = [&](std::size_t i) {
        return static_cast<std::uint32_t>(from_hex(text.substr(i * 8, 8)));
    };
    if (colon == 8) {
        auto* const v4 = reinterpret_cast<sockaddr_in*>(any);
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        v4->sin_addr.s_addr = word(0);
        return SocketAddress(any, sizeof *v4);
    }
    auto* const v6 = reinterpret_cast<sockaddr_in6*>(any);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    for (std::size_t i = 0; i < 4; ++i)
        v6->sin6_addr.s6_addr32[i] = word(i);
    return SocketAddress(any, sizeof *v6);
}

std::vector<KernelSocket> sockets_of(int pid) {
    std::vector<KernelSocket> all;
    for (const char* file : {"tcp", "tcp6"}) {
        const auto some = parse_kernel_sockets(slurp(fmt::format("/proc/{}/net/{}", pid, file)));
        all.insert(all.end(), some.begin(), some.end());
    }
    return all;
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

bool is_open(const KernelSocket& socket) {
    return socket.state == established || socket.state == close_wait;
}

}  // namespace

std::vector<KernelSocket> parse_kernel_sockets(std::string_view text) {
    std::vector<KernelSocket> sockets;
    std::istringstream lines{std::string(text)};
    std::string line;
    while (std::getline(lines, line)) {
        std::istringstream words(line);
        std::string number, local, remote, state, queues, timer, retransmits;
        std::uint64_t user = 0, timeout = 0, inode = 0;
        words >> number >> local >> remote >> state >> queues >> timer >> retransmits >> user >>
            timeout >> inode;
        const auto from = address_from(local), to = address_from(remote);
        const std::size_t colon = queues.find(':');
        if (words.fail() || !from || !to || colon == std::string::npos) continue;
        sockets.push_back({from->ip(), to->ip(), from->port(), to->port(),
                           static_cast<unsigned>(from_hex(state)),
                           from_hex(std::string_view(queues).substr(0, colon)),
                           from_hex(std::string_view(queues).substr(colon + 1)), inode});
    }
    return sockets;
}

std::set<std::uint16_t> listening_ports(int pid) {
    const std::set<std::uint64_t> mine = inodes_of(pid);
    std::set<std::uint16_t> ports;
    for (const KernelSocket& socket : sockets_of(pid)) {
        if (socket.state == listening && mine.contains(socket.inode))
            ports.insert(socket.local_port);
    }
    return ports;
}

std::uint64_t unread_connections(int pid, const std::set<std::uint16_t>& ports) {
    const auto all = sockets_of(pid);
    return static_cast<std::uint64_t>(
        std::count_if(all.begin(), all.end(), [&](const KernelSocket& socket) {
            return is_open(socket) && socket.unread > 0 && ports.contains(socket.local_port);
        }));
}

std::uint64_t unacknowledged_connections(int pid, const SocketAddress& peer) {
    const auto all = sockets_of(pid);
    return static_cast<std::uint64_t>(
        std::count_if(all.begin(), all.end(), [&](const KernelSocket& socket) {
            return is_open(socket) && socket.unacknowledged > 0 && socket.remote_ip == peer.ip() &&
                   (peer.port() == 0 || socket.remote_port == peer.port());
        }));
}

}  // namespace scrollgate::bench
