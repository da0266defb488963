// What can only be judged when the whole file is known: names that refer to others, doubles,
// combinations that cannot work, routes that cannot match. One thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "config/model.hpp"
#include "config/reader.hpp"

namespace scrollgate::config {

/// Adds its findings to the reader's problems, placed where the reader saw the values.
class Validator {
  public:
    Validator(const Config& config, Reader& reader) : config_(config), reader_(reader) {}
    void run();
    /// Looks into the certificates and keys that the configuration names, by full paths.
    void files();

  private:
    void error(const std::string& path, std::string message);
    void warning(const std::string& path, std::string message);
    /// Has something at or below `path` been reported already?
    [[nodiscard]] bool reported(const std::string& path) const;

    void listeners();
    void listener_tls(const Listener& listener, const std::string& path);
    void pool_tls(const Pool& pool, const std::string& path);
    void pool_protocol(const Pool& pool, const std::string& path);
    void probes_tls(const Pool& pool, const std::string& path);
    void client_tls(const PoolTls& tls, const std::string& path, std::string_view whose);
    void trust(const PoolTls& tls, const std::string& path);
    void certificates(const TlsServerOptions& tls, const std::string& path);
    void admin();
    void dns();
    void pools();
    void pool_addresses(const Pool& pool, const std::string& path);
    void pool_limits(const Pool& pool, const std::string& path);
    void pool_check(const Pool& pool, const std::string& path);
    void pool_capacity(const Pool& pool, const std::string& path);
    void cache();
    void cache_partitions();
    void cache_warm();
    void redis();
    void redis_set(const Redis& redis, const std::string& path);
    void redis_secrets(const Redis& redis, const std::string& path);
    void redis_tls(const Redis& redis, const std::string& path);
    void redis_purge_log(const Redis& redis, const std::string& path);
    void redis_files();
    void routes();
    void route(const config::Route& route, const std::string& path);
    void route_target(const config::Route& route, const std::string& path);
    void route_pools(const config::Route& route, const std::string& path);
    void route_splits(const config::Route& route, const std::string& path);
    void route_balance(const config::Route& route, const std::string& path);
    void route_cache(const config::Route& route, const std::string& path);
    void route_match(const config::Route& route, const std::string& path);
    void route_rewrite(const config::Route& route, const std::string& path);

    const Config& config_;
    Reader& reader_;
};

/// Files that are named relative to `folder` get their whole path.
void resolve_files(Config& config, const std::string& folder);

/// For each route the index of an earlier one that takes all its requests, or its own index.
[[nodiscard]] std::vector<std::size_t> shadowed_by(const std::vector<Route>& routes);

}  // namespace scrollgate::config
