// Settings: one Redis, or one set of them, as its clients need to know it; and who we are there.
//
// Built on the control thread, immutable: any thread may read. Credentials are apart, because they
// change while connections live (cloud tokens expire).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/stat.h>

#include "config/model.hpp"
#include "core/net/tls_context.hpp"

namespace scrollgate::redis {

/// Host and port; of a seed as configured, of others as the cluster calls them.
struct NodeName {
    std::string host;  ///< a name, or an IP literal without brackets
    std::uint16_t port = 6379;
    friend bool operator==(const NodeName&, const NodeName&) = default;
    [[nodiscard]] std::string text() const;  ///< "host:port", "[v6]:port"
};

struct Credentials {
    std::string username;  ///< empty: the default user
    std::string password;  ///< empty: no AUTH
    friend bool operator==(const Credentials&, const Credentials&) = default;
};

struct Settings {
    using Cluster = config::Redis::Cluster;

    std::vector<NodeName> seeds;                  ///< who is asked first; sentinels, if there are
    std::string sentinel_master;                  ///< its name there; empty: no sentinels
    std::shared_ptr<const TlsClientContext> tls;  ///< null: plain
    std::string server_name;                      ///< to be verified; empty: the node's own
    std::uint32_t database = 0;
    Cluster cluster = Cluster::detect;
    bool from_replicas = false;  ///< reads go to replicas, where there are
    Duration timeout = limits::redis_timeout;
    std::size_t queue_commands = limits::redis_queue_commands;
    std::size_t queue_bytes = limits::redis_queue_bytes;
    std::string shown;  ///< for people: the URL without user and password
};

/// What `redis` says. Throws std::runtime_error with a sentence for people where TLS cannot be set
/// up (an unreadable CA). No secret is in it.
[[nodiscard]] std::shared_ptr<const Settings> make_settings(const config::Redis& redis);
/// The same for one of `redis.purge_log`: its own address and database, else as in `redis`, but
/// neither sentinel nor replicas. It is far away, and no request waits for it: a command has
/// `timeout`.
[[nodiscard]] std::shared_ptr<const Settings> make_settings(const config::Redis& redis,
                                                            const config::RedisUrl& url,
                                                            Duration timeout);

/// Who we are for one Redis. `password_file` is read anew when it has changed. Control thread.
class CredentialSource {
  public:
    explicit CredentialSource(const config::Redis& redis);
    /// Of one of `redis.purge_log`: what its URL says, else as in `redis`.
    CredentialSource(const config::Redis& redis, const config::RedisUrl& url);

    [[nodiscard]] const Credentials& present() const noexcept { return present_; }
    /// Looks at the file; true if present() is another one now. Calls stat(2), seldom more; a file
    /// that cannot be read changes nothing and is logged once.
    bool look();

  private:
    Credentials present_;
    std::string file_;
    struct ::timespec read_mtime_ {};
    std::uint64_t read_inode_ = 0;
    bool complained_ = false;
};

}  // namespace scrollgate::redis
