#include "proxy/routing/route_index.hpp"

#include <algorithm>

#include "proxy/routing/path.hpp"

namespace scrollgate {
namespace {

/// A configured path in the spelling that requests have when they are routed.
std::string normalised(const std::string& path) {
    std::string storage;
    const auto result = normalise_path(path, storage);
    return result.has_value() ? std::string(*result) : path;
}

}  // namespace

std::string_view canonical_host(std::string_view authority, HostBuffer& buffer) noexcept {
    std::string_view host = authority;
    if (host.starts_with('[')) {
        host = host.substr(1, host.find(']') - 1);
    } else if (const std::size_t colon = host.find(':'); colon == host.rfind(':')) {
        host = host.substr(0, colon);  // several colons: an IPv6 literal without brackets
    }
    if (host.ends_with('.')) host.remove_suffix(1);
    if (host.size() >= sizeof buffer) return {};
    for (std::size_t i = 0; i < host.size(); ++i) {
        const char c = host[i];
        buffer[i] = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return {buffer, host.size()};
}

void PathTree::add(const config::Match& match, std::uint32_t route) {
    if (!match.path_exact.empty()) {
        node_at(normalised(match.path_exact)).exact.push_back(route);
    } else if (!match.path_prefix.empty()) {
        std::string prefix = normalised(match.path_prefix);
        if (prefix.ends_with('/')) {
            prefix.pop_back();
            node_at(prefix).below.push_back(route);
        } else {
            node_at(prefix).here.push_back(route);
        }
    } else {
        any_.push_back(route);
    }
}

/// The node behind "/a/b" (or "", the root), made if it is missing.
PathTree::Node& PathTree::node_at(std::string_view path) {
    Node* node = &root_;
    while (!path.empty()) {
        if (path.front() == '/') path.remove_prefix(1);
        const std::string_view segment = path.substr(0, path.find('/'));
        path.remove_prefix(segment.size());
        std::unique_ptr<Node>& child = node->children[std::string(segment)];
        if (!child) child = std::make_unique<Node>();
        node = child.get();
    }
    return *node;
}

RouteIndex::RouteIndex(const std::vector<config::Route>& routes) {
    for (std::size_t i = 0; i < routes.size(); ++i) {
        const config::Match& match = routes[i].match;
        tree_for(match.host).add(match, static_cast<std::uint32_t>(i));
    }
}

PathTree& RouteIndex::tree_for(const std::string& host) {
    if (host.empty() || host == "*") return any_;
    HostBuffer buffer;
    if (host.starts_with("*.")) {
        const std::string suffix(canonical_host(std::string_view(host).substr(2), buffer));
        longest_below_ = std::max(longest_below_, suffix.size());
        return below_[suffix];
    }
    return exact_[std::string(canonical_host(host, buffer))];
}

}  // namespace scrollgate
