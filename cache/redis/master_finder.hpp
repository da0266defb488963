// MasterFinder: asks sentinels, one after the other, who the master is, and its replicas.
//
// A connection for each question, closed with its answer: that is seldom, and what a sentinel said
// before is of no use after a failover. Whether the one that is named is really the master, its
// greeting finds out (ROLE). One loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "cache/redis/node.hpp"

namespace scrollgate::redis {

class MasterFinder final : public Node::Owner {
  public:
    struct Found {
        NodeName master;
        std::vector<NodeName> replicas;  ///< those that are well
    };
    using Callback = std::function<void(std::optional<Found>)>;

    /// All outlive it.
    MasterFinder(const Surroundings& around, std::shared_ptr<const Settings> settings, Load& load,
                 const Credentials& credentials)
        : around_{around.loop, around.dialer, around.resolver, around.statistics, false},
          settings_(std::move(settings)),
          load_(load),
          credentials_(credentials) {}

    /// Calls `done` once, later, with nothing if no sentinel knows; unless close() or another
    /// find() comes first.
    void find(Callback done);
    void close() noexcept;
    /// After nothing was found: what the last sentinel that was asked said.
    [[nodiscard]] std::string_view why() const noexcept { return why_; }

  private:
    bool seek(Node&) override { return true; }
    void changed(Node& node) override;
    void learned(Node&, const Reply&) override {}
    void answered(Node& node, FlightPtr flight, Reply reply) override;
    bool pushed(Node&, const Reply&) override { return false; }

    void next();
    void give_up(std::string_view said);
    void finish(std::optional<Found> found);

    const Surroundings around_;  ///< without a voice: the master's node tells how it went
    std::shared_ptr<const Settings> settings_;
    Load& load_;
    const Credentials& credentials_;
    std::shared_ptr<Node> node_;
    std::size_t turn_ = 0;   ///< which sentinel is next
    std::size_t tried_ = 0;  ///< for this question
    Callback done_;
    Found found_;
    std::string why_;
};

}  // namespace scrollgate::redis
