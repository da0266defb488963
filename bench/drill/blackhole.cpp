#include "bench/drill/blackhole.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>
#include <unistd.h>

#include "bench/drill/kernel_sockets.hpp"
#include "bench/drill/look.hpp"
#include "bench/plan/url.hpp"

namespace scrollgate::bench {
namespace {

constexpr const char* undo = "delete table inet scrollgate_drill\n";

std::string namespace_of(int pid) {
    std::error_code error;
    return std::filesystem::read_symlink(fmt::format("/proc/{}/ns/net", pid), error).string();
}

/// 0 at the top, or if it cannot be seen.
int parent_of(int pid) {
    std::ifstream in(fmt::format("/proc/{}/stat", pid));
    const std::string line{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    const std::size_t name_end = line.rfind(')');  // names may hold anything
    if (name_end == std::string::npos) return 0;
    std::istringstream rest(line.substr(name_end + 1));
    char state = 0;
    int parent = 0;
    rest >> state >> parent;
    return parent;
}

/// Somebody made `space` for a purpose: some process above `pid` lives in another one. Process 1
/// may be hidden from us; then the shell above an `unshare -n` tells.
bool is_made_for_it(const std::string& space, int pid) {
    for (int above = pid; above > 0; above = parent_of(above)) {
        const std::string theirs = namespace_of(above);
        if (!theirs.empty() && theirs != space) return true;
    }
    return false;
}

SocketAddress address_from(const std::string& text) {
    const auto place = parse_host_port(text);
    const auto address =
        place ? SocketAddress::from_ip(place->host, place->port) : SocketAddress::from_ip(text, 0);
    if (!address) throw BadInput(fmt::format("--blackhole '{}': an IP, or IP:PORT", text));
    return *address;
}

class Blackhole final : public Breakage {
  public:
    Blackhole(const SocketAddress& address, int pid) : address_(address), pid_(pid) {
        const std::string space = namespace_of(pid);
        if (space.empty())
            throw BadInput(fmt::format("--netns {}: cannot see its network namespace", pid));
        if (!is_made_for_it(space, pid))
            throw BadInput(
                "--blackhole works in a network namespace made for it, not in that of "
                "the machine: start the proxy by `unshare -n` or `ip netns exec`, and "
                "give its process as --netns");
        if (!run_nft("list tables\n"))
            throw BadInput("--blackhole needs nft (package nftables), and root in the namespace");
    }
    ~Blackhole() override { (void)mend(); }

    std::string what() const override {
        return "blackhole " + (address_.port() == 0 ? address_.ip() : address_.text());
    }

    std::uint64_t strike() override {
        const char* family = address_.family() == AF_INET6 ? "ip6" : "ip";
        const auto port = [&](const char* side) {
            return address_.port() == 0 ? std::string()
                                        : fmt::format(" tcp {} {}", side, address_.port());
        };
        const std::string rules = fmt::format(
            "table inet scrollgate_drill {{\n"
            "  chain in {{ type filter hook input priority -300; {0} saddr {1}{2} drop; }}\n"
            "  chain out {{ type filter hook output priority -300; {0} daddr {1}{3} drop; }}\n"
            "}}\n",
            family, address_.ip(), port("sport"), port("dport"));
        if (!run_nft(rules)) throw std::runtime_error("nft refused the rules of the black hole");
        dug_ = true;
        return look_for_requests([this] { return unacknowledged_connections(pid_, address_); });
    }

    bool mend() noexcept override {
        if (dug_) dug_ = !run_nft(undo);
        return !dug_;
    }

  private:
    /// Gives `rules` to nft in the namespace; what it complains about goes to standard error.
    [[nodiscard]] bool run_nft(const char* rules) const noexcept {
        const std::string command = fmt::format("nsenter --net=/proc/{}/ns/net nft -f -", pid_);
        std::FILE* const pipe = ::popen(command.c_str(), "w");
        if (pipe == nullptr) return false;
        std::fputs(rules, pipe);
        return ::pclose(pipe) == 0;
    }
    [[nodiscard]] bool run_nft(const std::string& rules) const { return run_nft(rules.c_str()); }

    const SocketAddress address_;
    const int pid_;
    bool dug_ = false;
};

}  // namespace

std::unique_ptr<Breakage> make_blackhole(const std::string& address, std::optional<int> netns) {
    return std::make_unique<Blackhole>(address_from(address), netns.value_or(::getpid()));
}

}  // namespace scrollgate::bench
