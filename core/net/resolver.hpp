// Resolver: names to addresses, without blocking. The seam has two implementations: c-ares, and a
// scripted one in the tests.
//
// Control thread only: everything happens on the thread that runs the io_context.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "core/net/address.hpp"

namespace scrollgate {

class Resolver {
  public:
    struct Answer {
        /// Without repetitions, at most max_addresses. Empty if the name could not be resolved.
        std::vector<SocketAddress> addresses;
        /// How long it may be used: the least TTL on the way to it. Nothing if the source has none
        /// (literals, /etc/hosts) and on failure.
        std::optional<std::chrono::seconds> ttl;
        /// Why there are no addresses, or those of `unknown` are not, for people; else empty.
        std::string error;
        /// AF_INET or AF_INET6: nothing is known of its addresses of this family, because the
        /// query for them failed or is late. AF_UNSPEC: these are all, or there are none.
        int unknown = AF_UNSPEC;
    };
    using Callback = std::function<void(const Answer&)>;
    static constexpr std::size_t max_addresses = 256;

    virtual ~Resolver() = default;
    /// Calls `done` exactly once, maybe before it returns, unless the resolver is destroyed first.
    /// `host` is a name or an IP literal without brackets; every address gets `port`. `done` may
    /// resolve further names but must not destroy the resolver.
    virtual void resolve(const std::string& host, std::uint16_t port, Callback done) = 0;
};

/// Asks /etc/hosts, then DNS as resolv.conf says; both are read anew whenever a query starts while
/// no other is under way. Addresses of IPv4 and of IPv6 are two questions, and one is answered
/// without the other if that one fails, or is a second late (limits::dns_other_family; cf. RFC 8305
/// section 3). IP literals are answered at once. While nothing is asked it has no socket, no timer
/// and no other work in the io_context. Destroying it calls off what is under way: no callback is
/// called any more.
class CaresResolver final : public Resolver {
  public:
    struct Options {
        std::string servers;                      ///< "10.0.0.2:53,[::1]:53"; empty: the system's
        std::chrono::milliseconds timeout{5000};  ///< for one name, all tries together
        std::size_t in_flight = 32;               ///< names asked at once; others wait in a queue
    };

    explicit CaresResolver(boost::asio::io_context& io);
    CaresResolver(boost::asio::io_context& io, Options options);
    ~CaresResolver() override;

    void resolve(const std::string& host, std::uint16_t port, Callback done) override;
    /// Asks these from now on, as in Options. What is under way ends with those that it was asked
    /// of; new questions wait until it has.
    void use_servers(std::string servers);

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace scrollgate
