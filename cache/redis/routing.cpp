// The nodes of a client: a server, the master that sentinels name, or a cluster.
#include <algorithm>

#include "cache/redis/client_impl.hpp"
#include "core/limits.hpp"
#include "core/log.hpp"

namespace scrollgate::redis {

// ---- which node

Node* Client::Impl::pick(const Command& command) {
    if (!cluster_) {
        if (settings_->from_replicas && command.kind() == Command::Kind::read) {
            if (Node* const replica = pick_replica(replicas_)) return replica;
        }
        Node* const main = node_at(main_);
        return main != nullptr && main->up() ? main : nullptr;
    }
    if (!command.has_key()) return pick_any();
    const Index master = cluster_->masters[command.slot()];
    if (settings_->from_replicas && command.kind() == Command::Kind::read &&
        master < cluster_->replicas.size()) {
        if (Node* const replica = pick_replica(cluster_->replicas[master])) return replica;
    }
    Node* const node = node_at(master);
    if (node != nullptr && node->up()) return node;
    // Its slots may be somebody else's by now.
    if (around_.loop.now() >= refreshed_ + limits::redis_refresh_missing) refresh_soon();
    return nullptr;
}

Node* Client::Impl::pick_replica(const std::vector<Index>& replicas) noexcept {
    for (std::size_t i = 0; i < replicas.size(); ++i) {
        Node* const node = node_at(replicas[turn_++ % replicas.size()]);
        if (node != nullptr && node->up()) return node;
    }
    return nullptr;
}

/// Masters first: they take everything.
Node* Client::Impl::pick_any() noexcept {
    Node* found = nullptr;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
        Node* const node = nodes_[turn_++ % nodes_.size()].get();
        if (node == nullptr || !node->up()) continue;
        if (!node->manners().replica) return node;
        found = node;
    }
    return found;
}

// ---- the set of nodes

Client::Impl::Index Client::Impl::find_node(const NodeName& name) const noexcept {
    for (std::size_t i = 0; i < nodes_.size(); ++i)
        if (nodes_[i] && nodes_[i]->name() == name) return static_cast<Index>(i);
    return nobody;
}

/// That of `name`, which begins to connect if it is new; nobody if there are too many.
Client::Impl::Index Client::Impl::have_node(const NodeName& name, bool replica) {
    Index index = find_node(name);
    if (index != nobody) {
        nodes_[index]->serve_as(replica && cluster_ != nullptr);
        return index;
    }
    const auto hole = std::find(nodes_.begin(), nodes_.end(), nullptr);
    index = static_cast<Index>(hole - nodes_.begin());
    if (index >= limits::redis_nodes) return nobody;
    Node::Manners manners;
    manners.replica = replica && cluster_ != nullptr;
    manners.scripts = scripts_;
    auto node = std::make_shared<Node>(around_, settings_, load_, credentials_, *this, name,
                                       std::move(manners));
    if (hole == nodes_.end()) {
        nodes_.push_back(node);
    } else {
        *hole = node;
    }
    node->start();
    return index;
}

void Client::Impl::drop_others(const std::vector<Index>& kept) {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
        const auto index = static_cast<Index>(i);
        if (!nodes_[i] || std::find(kept.begin(), kept.end(), index) != kept.end()) continue;
        const std::shared_ptr<Node> node = std::move(nodes_[i]);
        nodes_[i] = nullptr;
        if (main_ == index) main_ = nobody;
        node->close();
    }
}

// ---- where everything begins

const NodeName& Client::Impl::next_seed() noexcept {
    return settings_->seeds[seed_++ % settings_->seeds.size()];
}

void Client::Impl::start() {
    start_main(finder_ ? NodeName{settings_->sentinel_master, 0} : next_seed());
    if (finder_ && settings_->from_replicas)
        around_.loop.arm(*this, around_.loop.now() + limits::redis_refresh);
}

void Client::Impl::start_main(NodeName name) {
    Node::Manners manners;
    manners.must_be_master = finder_.has_value();
    manners.asks_slots = !finder_ && settings_->cluster != Settings::Cluster::off;
    manners.scripts = scripts_;
    const auto hole = std::find(nodes_.begin(), nodes_.end(), nullptr);
    main_ = static_cast<Index>(hole - nodes_.begin());
    auto node = std::make_shared<Node>(around_, settings_, load_, credentials_, *this,
                                       std::move(name), std::move(manners));
    if (hole == nodes_.end()) {
        nodes_.push_back(node);
    } else {
        *hole = node;
    }
    node->start();
}

bool Client::Impl::seek(Node& node) {
    if (!finder_ || &node != node_at(main_)) return true;
    ask_sentinels();
    return false;
}

void Client::Impl::ask_sentinels() {
    finder_->find(
        [this](std::optional<MasterFinder::Found> found) { found_master(std::move(found)); });
}

void Client::Impl::found_master(std::optional<MasterFinder::Found> found) {
    Node* const main = node_at(main_);
    // It may be up, and the question was about replicas: its loss says when it is another one.
    if (main->looking() && found) {
        main->find(found->master);
    } else if (main->looking()) {
        main->lose(finder_->why());
    }
    if (!settings_->from_replicas || !found) return;
    std::vector<Index> kept{main_};
    replicas_.clear();
    for (const NodeName& name : found->replicas) {
        const Index index = name == found->master ? nobody : have_node(name, true);
        if (index == nobody) continue;
        replicas_.push_back(index);
        kept.push_back(index);
    }
    drop_others(kept);
}

void Client::Impl::changed(Node& node) {
    count_state();
    if (closed_ || node.up()) return;
    Node* const main = node_at(main_);
    if (&node == main && !finder_ && settings_->seeds.size() > 1) {
        node.rename(next_seed());  // the next try is another seed's
    }
    if (!cluster_) return;
    refresh_soon();
    // With nobody left to ask, the seeds are asked again.
    if (main == nullptr && pick_any() == nullptr) start_main(next_seed());
}

void Client::Impl::learned(Node& node, const Reply& reply) {
    if (reply.is_error()) {
        if (settings_->cluster == Settings::Cluster::on && !cluster_)
            node.lose("is no cluster: CLUSTER SLOTS was refused");
        return;
    }
    const auto ranges = read_slots(reply, node.name());
    if (!ranges) {
        node.lose("its CLUSTER SLOTS cannot be read");
        return;
    }
    become_cluster();
    take_slots(*ranges);
}

// ---- clusters

void Client::Impl::become_cluster() {
    if (cluster_) return;
    cluster_ = std::make_unique<Cluster>();
    cluster_->masters.fill(nobody);
    around_.loop.arm(*this, around_.loop.now() + limits::redis_refresh);
}

void Client::Impl::take_slots(const std::vector<SlotRange>& ranges) {
    // A node without slots may know no others: nothing is learned from it.
    if (ranges.empty()) return;
    Statistics::add(around_.statistics.refreshes, 1);
    std::vector<Index> kept;
    auto fresh = std::make_unique<Cluster>();
    fresh->masters.fill(nobody);
    for (const SlotRange& range : ranges) {
        const Index master = have_node(range.master, false);
        if (master == nobody) continue;
        kept.push_back(master);
        if (fresh->replicas.size() <= master) fresh->replicas.resize(master + 1U);
        std::fill(fresh->masters.begin() + range.first, fresh->masters.begin() + range.last + 1,
                  master);
        if (!settings_->from_replicas) continue;
        std::vector<Index>& replicas = fresh->replicas[master];
        for (const NodeName& name : range.replicas) {
            const Index replica = have_node(name, true);
            if (replica == nobody) continue;
            kept.push_back(replica);
            if (std::find(replicas.begin(), replicas.end(), replica) == replicas.end())
                replicas.push_back(replica);
        }
    }
    cluster_ = std::move(fresh);
    drop_others(kept);
    if (node_at(main_) != nullptr) node_at(main_)->manners().asks_slots = false;
    main_ = nobody;
    count_state();
}

bool Client::Impl::redirect(Node& from, FlightPtr& flight, const Reply& reply) {
    if (settings_->cluster == Settings::Cluster::off || finder_) return false;
    const auto to = read_redirection(reply, from.name());
    if (!to) return false;
    become_cluster();
    Statistics::add(around_.statistics.redirects, 1);
    const Index index = have_node(to->node, false);
    if (!to->ask) {
        cluster_->masters[to->slot] = index;
        refresh_soon();
    }
    Node* const node = node_at(index);
    if (flight->forgotten()) return true;
    if (node == nullptr || !node->up() || ++flight->redirects > limits::redis_redirects) {
        flight->fail(ErrorKind::connect_failed, "redis: sent on to a node that is not connected");
        return true;
    }
    if (to->ask) node->say(Command::read({"ASKING"}, 0));
    node->submit(std::move(flight));
    return true;
}

/// As soon as that is allowed again.
void Client::Impl::refresh_soon() {
    const TimePoint now = around_.loop.now();
    around_.loop.arm(*this, std::max(now, refreshed_ + limits::redis_refresh_least));
}

void Client::Impl::expired() noexcept {
    refresh();
}

void Client::Impl::refresh() {
    const TimePoint now = around_.loop.now();
    refreshed_ = now;
    // Not all workers and processes at the same time.
    const Duration span = limits::redis_refresh;
    const auto part = static_cast<std::uint64_t>(span.count() / 4);
    around_.loop.arm(*this, now + span - Duration(around_.loop.rng().below(part)));
    if (finder_) return ask_sentinels();
    Node* const node = pick_any();
    if (node == nullptr) return;
    auto flight = std::make_unique<Flight>(Command::read({"CLUSTER", "SLOTS"}, 0),
                                           Flight::Purpose::told, load_);
    flight->step = slots_again;
    node->submit(std::move(flight));
}

}  // namespace scrollgate::redis
