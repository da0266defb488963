#include "cache/redis/subscription.hpp"

#include "cache/redis/master_finder.hpp"
#include "core/limits.hpp"

namespace scrollgate::redis {

/// One node that is up when it has subscribed to everything.
class Subscription::Impl final : public Node::Owner, private TimerWheel::Timer {
  public:
    Impl(const Surroundings& around, std::shared_ptr<const Settings> settings,
         Credentials credentials, std::vector<std::string> channels, Events events)
        : around_(around),
          settings_(std::move(settings)),
          credentials_(std::move(credentials)),
          load_(around_.statistics),
          channels_(std::move(channels)),
          events_(std::move(events)) {
        if (!settings_->sentinel_master.empty())
            finder_.emplace(around_, settings_, load_, credentials_);
    }
    ~Impl() override = default;

    void start() {
        Node::Manners manners;
        manners.must_be_master = finder_.has_value();
        manners.channels = channels_;
        NodeName name = finder_ ? NodeName{settings_->sentinel_master, 0} : next_seed();
        node_ = std::make_shared<Node>(around_, settings_, load_, credentials_, *this,
                                       std::move(name), std::move(manners));
        node_->start();
    }
    void close() noexcept {
        disarm();
        if (finder_) finder_->close();
        if (node_) node_->close();
    }
    void authenticate(Credentials credentials) {
        if (credentials == credentials_) return;
        credentials_ = std::move(credentials);
        // A connection that subscribes may say little else: the next one does.
    }

  private:
    bool seek(Node&) override {
        if (!finder_) return true;
        finder_->find([this](std::optional<MasterFinder::Found> found) {
            if (found) {
                node_->find(std::move(found->master));
            } else {
                node_->lose(finder_->why());
            }
        });
        return false;
    }
    void changed(Node& node) override {
        const State now = node.seen();
        around_.statistics.nodes.store(1, std::memory_order_relaxed);
        around_.statistics.nodes_up.store(node.up() ? 1 : 0, std::memory_order_relaxed);
        around_.statistics.state.store(now, std::memory_order_relaxed);
        if (node.up()) {
            around_.loop.arm(*this, around_.loop.now() + limits::redis_ping);
        } else {
            disarm();
            if (!finder_) node.rename(next_seed());
        }
        if (std::exchange(listening_, node.up()) != node.up() && events_.listening)
            events_.listening(node.up());
    }
    void learned(Node&, const Reply&) override {}
    void answered(Node&, FlightPtr, Reply) override {}
    bool pushed(Node&, const Reply& reply) override {
        const std::vector<Reply>& parts = reply.elements;
        if (parts.size() != 3 || parts[0].text != "message") return false;
        Statistics::add(around_.statistics.answered, 1);
        if (events_.message) events_.message(parts[1].text, parts[2].text);
        return true;
    }
    /// A sign of life, if there was none for a while; the node hears it if none comes.
    void expired() noexcept override {
        node_->say(Command::read({"PING"}, 0));
        around_.loop.arm(*this, around_.loop.now() + limits::redis_ping);
    }
    [[nodiscard]] const NodeName& next_seed() noexcept {
        return settings_->seeds[seed_++ % settings_->seeds.size()];
    }

    Surroundings around_;
    std::shared_ptr<const Settings> settings_;
    Credentials credentials_;
    Load load_;
    std::vector<std::string> channels_;
    Events events_;
    std::optional<MasterFinder> finder_;
    std::shared_ptr<Node> node_;
    std::size_t seed_ = 0;
    bool listening_ = false;
};

Subscription::Subscription(const Surroundings& around, std::shared_ptr<const Settings> settings,
                           Credentials credentials, std::vector<std::string> channels,
                           Events events)
    : impl_(std::make_shared<Impl>(around, std::move(settings), std::move(credentials),
                                   std::move(channels), std::move(events))) {}

Subscription::~Subscription() {
    impl_->close();
}

void Subscription::start() {
    impl_->start();
}

void Subscription::authenticate(Credentials credentials) {
    impl_->authenticate(std::move(credentials));
}

}  // namespace scrollgate::redis
