// Client::Impl: which node a command goes to, and what becomes of its answer.
//
// client.cpp takes commands and hands out answers; routing.cpp knows the nodes: a server, a master
// with its replicas, or a cluster with its slots.
#pragma once

#include <array>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "cache/redis/client.hpp"
#include "cache/redis/master_finder.hpp"
#include "cache/redis/node.hpp"
#include "cache/redis/slot.hpp"
#include "cache/redis/topology.hpp"

namespace scrollgate::redis {

class Client::Impl final : public std::enable_shared_from_this<Impl>,
                           public Node::Owner,
                           private TimerWheel::Timer {
  public:
    Impl(const Surroundings& around, std::shared_ptr<const Settings> settings,
         Credentials credentials);
    ~Impl() override = default;

    void start();
    void close() noexcept;
    Task<Result<Reply>> ask(Command command, TimePoint until);
    static Task<Result<Reply>> run(std::shared_ptr<Impl> self, Task<Result<Reply>> by_name,
                                   const Script& script, std::span<const std::string_view> keys,
                                   std::span<const std::string_view> arguments, TimePoint until);
    bool tell(Command command) noexcept;
    Task<bool> until_up(TimePoint until);
    void authenticate(Credentials credentials);
    void teach(const Script& script) { scripts_.push_back(&script); }
    [[nodiscard]] State state() const noexcept {
        return around_.statistics.state.load(std::memory_order_relaxed);
    }
    [[nodiscard]] TimePoint deadline() const noexcept {
        return around_.loop.now() + settings_->timeout;
    }

  private:
    class Asking;
    class UpWait;
    /// What of our own is told and has an answer for us (Flight::step).
    enum Upkeep : std::uint8_t { none, slots_again };
    using Index = std::uint16_t;
    static constexpr Index nobody = 0xffff;

    // Node::Owner
    bool seek(Node& node) override;
    void changed(Node& node) override;
    void learned(Node& node, const Reply& slots) override;
    void answered(Node& node, FlightPtr flight, Reply reply) override;
    bool pushed(Node&, const Reply&) override { return false; }
    /// Time to ask for the slots, or the replicas, again.
    void expired() noexcept override;

    static Task<Result<Reply>> wait(std::unique_ptr<Asking> asking);
    void count_state();

    // -- routing.cpp
    [[nodiscard]] Node* pick(const Command& command);
    [[nodiscard]] Node* pick_any() noexcept;
    [[nodiscard]] Node* pick_replica(const std::vector<Index>& replicas) noexcept;
    [[nodiscard]] Node* node_at(Index index) const noexcept {
        return index < nodes_.size() ? nodes_[index].get() : nullptr;
    }
    [[nodiscard]] Index find_node(const NodeName& name) const noexcept;
    Index have_node(const NodeName& name, bool replica);
    void drop_others(const std::vector<Index>& kept);
    void start_main(NodeName name);
    [[nodiscard]] const NodeName& next_seed() noexcept;
    void ask_sentinels();
    void found_master(std::optional<MasterFinder::Found> found);
    void take_slots(const std::vector<SlotRange>& ranges);
    void become_cluster();
    /// True: `reply` has sent `flight` elsewhere, and that is seen to.
    bool redirect(Node& from, FlightPtr& flight, const Reply& reply);
    void refresh_soon();
    void refresh();

    Surroundings around_;
    std::shared_ptr<const Settings> settings_;
    Credentials credentials_;
    Load load_;
    std::vector<const Script*> scripts_;
    std::list<UpWait*> waiting_;
    bool closed_ = false;

    std::vector<std::shared_ptr<Node>> nodes_;  ///< with holes: an index stays what it is
    Index main_ = nobody;   ///< the server, or the master; of a cluster: the seed, while needed
    std::size_t seed_ = 0;  ///< which is next
    std::optional<MasterFinder> finder_;
    std::vector<Index> replicas_;  ///< of the master that sentinels name
    struct Cluster {
        std::array<Index, slots> masters;
        std::vector<std::vector<Index>> replicas;  ///< by their master's index
    };
    std::unique_ptr<Cluster> cluster_;  ///< null: none
    TimePoint refreshed_{};             ///< asked for the slots last
    std::size_t turn_ = 0;              ///< of replicas, and of nodes for what has no key
};

}  // namespace scrollgate::redis
