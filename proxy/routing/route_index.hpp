// RouteIndex: which routes a request's host and path leave to choose from.
//
// Per host (exact, "*." suffix, any) there is a tree of path segments. A walk visits one node per
// segment as long as some route goes deeper, so its cost follows the configured depth, never the
// length of what a client sends. Lists hold route numbers in ascending order. Built once, then
// only read, by any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/model.hpp"

namespace scrollgate {

/// Lets maps of strings be searched by views.
struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
        return std::hash<std::string_view>{}(text);
    }
};
template <class T>
using TextMap = std::unordered_map<std::string, T, TextHash, std::equal_to<>>;

/// The host of an authority as routing compares it: lower case, without port, brackets and one
/// trailing dot, written to `buffer`. Empty if there is none or it is longer than 255 bytes.
using HostBuffer = char[256];
[[nodiscard]] std::string_view canonical_host(std::string_view authority,
                                              HostBuffer& buffer) noexcept;

using RouteList = std::vector<std::uint32_t>;

class PathTree {
  public:
    void add(const config::Match& match, std::uint32_t route);

    /// Calls `visit(const RouteList&)` for every list of routes that agree with `path`.
    template <class Visitor>
    void walk(std::string_view path, Visitor&& visit) const;

  private:
    struct Node {
        TextMap<std::unique_ptr<Node>> children;  ///< by segment, which may be empty ("//")
        RouteList exact;                          ///< the path ends here
        RouteList here;                           ///< the path ends here or goes on
        RouteList below;                          ///< a slash follows
    };
    Node& node_at(std::string_view path);

    RouteList any_;  ///< routes without a path, and those with a regex
    Node root_;
};

class RouteIndex {
  public:
    explicit RouteIndex(const std::vector<config::Route>& routes);

    /// Calls `visit(const RouteList&)` for every list of routes that agree with host and path.
    template <class Visitor>
    void walk(std::string_view authority, std::string_view path, Visitor&& visit) const;

  private:
    PathTree& tree_for(const std::string& host);

    TextMap<PathTree> exact_;
    TextMap<PathTree> below_;  ///< "*.example.com" under "example.com"
    PathTree any_;
    std::size_t longest_below_ = 0;  ///< of the keys of below_
};

template <class Visitor>
void PathTree::walk(std::string_view path, Visitor&& visit) const {
    if (!any_.empty()) visit(any_);
    if (!path.starts_with('/')) return;
    const Node* node = &root_;
    for (std::size_t at = 0; at != path.size();) {  // at a slash, with `node` for what is before
        if (!node->below.empty()) visit(node->below);
        if (node->children.empty()) return;
        std::size_t end = path.find('/', at + 1);
        if (end == std::string_view::npos) end = path.size();
        const auto child = node->children.find(path.substr(at + 1, end - at - 1));
        if (child == node->children.end()) return;
        node = child->second.get();
        if (!node->here.empty()) visit(node->here);
        at = end;
    }
    if (!node->exact.empty()) visit(node->exact);
}

template <class Visitor>
void RouteIndex::walk(std::string_view authority, std::string_view path, Visitor&& visit) const {
    HostBuffer buffer;
    const std::string_view host = canonical_host(authority, buffer);
    if (!host.empty() && !exact_.empty()) {
        if (const auto tree = exact_.find(host); tree != exact_.end()) {
            tree->second.walk(path, visit);
        }
    }
    if (!below_.empty()) {
        for (std::size_t dot = host.find('.', 1); dot < host.size();
             dot = host.find('.', dot + 1)) {
            const std::string_view suffix = host.substr(dot + 1);
            if (suffix.size() > longest_below_) continue;
            if (const auto tree = below_.find(suffix); tree != below_.end()) {
                tree->second.walk(path, visit);
            }
        }
    }
    any_.walk(path, visit);
}

}  // namespace scrollgate
