#include "cache/redis/master_finder.hpp"

#include <charconv>

#include <fmt/format.h>

#include "core/limits.hpp"

namespace scrollgate::redis {
namespace {

enum Step : std::uint8_t { master, replicas };

std::optional<NodeName> read_place(std::string_view host, std::string_view port) {
    NodeName node{std::string(host), 0};
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), node.port);
    if (host.empty() || error != std::errc{} || end != port.data() + port.size() || node.port == 0)
        return {};
    return node;
}

/// One of SENTINEL REPLICAS, a list of names and values; nothing if it is not well.
std::optional<NodeName> read_replica(const Reply& reply) {
    std::string_view host, port, flags;
    for (std::size_t i = 0; i + 1 < reply.elements.size(); i += 2) {
        const std::string_view key = reply.elements[i].text;
        const std::string_view value = reply.elements[i + 1].text;
        if (key == "ip") host = value;
        if (key == "port") port = value;
        if (key == "flags") flags = value;
    }
    if (flags != "slave") return {};  // s_down, disconnected and the like come behind a comma
    return read_place(host, port);
}

std::string said(const Reply& reply) {
    if (reply.is_error()) return printable(reply.text);
    return reply.is_nil() ? "it knows no master of this name" : "this is not a sentinel's answer";
}

}  // namespace

void MasterFinder::find(Callback done) {
    done_ = std::move(done);
    tried_ = 0;
    next();
}

void MasterFinder::close() noexcept {
    done_ = nullptr;
    if (node_) node_->close();
}

void MasterFinder::next() {
    if (node_) node_->close();
    if (tried_++ == settings_->seeds.size()) {
        finish({});
        return;
    }
    const NodeName& seed = settings_->seeds[turn_++ % settings_->seeds.size()];
    node_ = std::make_shared<Node>(around_, settings_, load_, credentials_, *this, seed,
                                   Node::Manners{.is_sentinel = true});
    // It may fail at once, and the next one be here instead.
    const std::shared_ptr<Node> node = node_;
    node->start();
}

void MasterFinder::changed(Node& node) {
    if (!node.up()) return give_up(node.why_lost());
    const auto ask = [&](Step step, std::string_view what) {
        Command command = Command::read({"SENTINEL", what, settings_->sentinel_master}, 0);
        auto flight = std::make_unique<Flight>(std::move(command), Flight::Purpose::told, load_);
        flight->step = step;
        node.submit(std::move(flight));
    };
    ask(master, "GET-MASTER-ADDR-BY-NAME");
    if (settings_->from_replicas) ask(replicas, "REPLICAS");
}

void MasterFinder::answered(Node&, FlightPtr flight, Reply reply) {
    if (flight->step == master) {
        std::optional<NodeName> place;
        if (reply.elements.size() == 2)
            place = read_place(reply.elements[0].text, reply.elements[1].text);
        if (!place) return give_up(said(reply));
        found_ = {*std::move(place), {}};
        if (!settings_->from_replicas) finish(std::move(found_));
        return;
    }
    for (const Reply& each : reply.elements) {
        std::optional<NodeName> replica = read_replica(each);
        if (replica && found_.replicas.size() < limits::redis_seeds)
            found_.replicas.push_back(*std::move(replica));
    }
    finish(std::move(found_));
}

void MasterFinder::give_up(std::string_view said) {
    why_ = fmt::format("no sentinel knows where the master is; {}: {}", node_->name().text(), said);
    next();
}

void MasterFinder::finish(std::optional<Found> found) {
    if (node_) node_->close();
    if (const Callback done = std::exchange(done_, nullptr)) done(std::move(found));
}

}  // namespace scrollgate::redis
