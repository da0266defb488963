#include "bench/drill/blackhole.hpp"

#include <stdexcept>

#include <fmt/format.h>
#include <unistd.h>

#include "bench/drill/command.hpp"
#include "bench/drill/dead_man_switch.hpp"
#include "bench/drill/kernel_sockets.hpp"
#include "bench/drill/look.hpp"
#include "bench/drill/network_namespace.hpp"
#include "bench/plan/url.hpp"

namespace scrollgate::bench {
namespace {

constexpr const char* undo = "delete table inet scrollgate_drill\n";

SocketAddress address_from(const std::string& text) {
    const auto place = parse_host_port(text);
    const auto address =
        place ? SocketAddress::from_ip(place->host, place->port) : SocketAddress::from_ip(text, 0);
    if (!address) throw BadInput(fmt::format("--blackhole '{}': an IP, or IP:PORT", text));
    return *address;
}

class Blackhole final : public Breakage {
  public:
    Blackhole(const SocketAddress& address, int pid)
        : address_(address), space_(pid), kernel_(pid), switch_([this] { (void)nft(undo); }) {
        if (!space_.is_made_for_it())
            throw BadInput(
                "--blackhole works in a network namespace made for it, not in that of "
                "the machine: start the proxy by `unshare -n` or `ip netns exec`, and "
                "give its process as --netns");
        const std::string trouble = nft("list tables\n");
        if (!trouble.empty())
            throw BadInput(fmt::format(
                "--blackhole needs nft (package nftables), and root in the namespace: {}",
                trouble));
    }
    ~Blackhole() override { (void)mend(); }

    std::string what() const override {
        return "blackhole " + (address_.port() == 0 ? address_.ip() : address_.text());
    }

    std::uint64_t strike() override {
        switch_.arm();
        const std::string trouble = nft(rules());
        if (!trouble.empty()) throw std::runtime_error("the black hole was refused: " + trouble);
        dug_ = true;
        return look_for_requests([this] { return requests_towards(kernel_, address_); });
    }

    bool mend() noexcept override {
        if (dug_) dug_ = !nft(undo).empty();
        if (!dug_) switch_.disarm();
        return !dug_;
    }

  private:
    /// Whatever a table of this name held before is gone.
    [[nodiscard]] std::string rules() const {
        const char* family = address_.family() == AF_INET6 ? "ip6" : "ip";
        const auto port = [&](const char* side) {
            return address_.port() == 0 ? std::string()
                                        : fmt::format(" tcp {} {}", side, address_.port());
        };
        return fmt::format(
            "table inet scrollgate_drill\n"
            "{4}"
            "table inet scrollgate_drill {{\n"
            "  chain in {{ type filter hook input priority -300; {0} saddr {1}{2} drop; }}\n"
            "  chain out {{ type filter hook output priority -300; {0} daddr {1}{3} drop; }}\n"
            "}}\n",
            family, address_.ip(), port("sport"), port("dport"), undo);
    }

    /// Gives `text` to nft in the namespace; empty, or why it did not do it.
    [[nodiscard]] std::string nft(const std::string& text) const {
        std::string trouble;
        space_.inside([&] { trouble = run_command({"nft", "-f", "-"}, text); });
        return trouble;
    }

    const SocketAddress address_;
    const NetworkNamespace space_;
    const KernelSockets kernel_;
    DeadManSwitch switch_;
    bool dug_ = false;
};

}  // namespace

std::unique_ptr<Breakage> make_blackhole(const std::string& address, std::optional<int> netns) {
    return std::make_unique<Blackhole>(address_from(address), netns.value_or(::getpid()));
}

}  // namespace scrollgate::bench
