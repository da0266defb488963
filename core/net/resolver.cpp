#include "core/net/resolver.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <set>
#include <string>
#include <utility>

#include <boost/asio/steady_timer.hpp>

#include "core/limits.hpp"
#include "core/log.hpp"
#include "core/net/ares_channel.hpp"

namespace scrollgate {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t addresses_read = 4096;  // of one family; there are some to be chosen from

Resolver::Answer failure(std::string why) {
    return {{}, std::nullopt, std::move(why)};
}

std::string_view bytes_of(const SocketAddress& address) noexcept {
    return {reinterpret_cast<const char*>(address.data()), address.size()};
}

/// Of more than an answer holds always the same ones, in whichever order a server gives them, IPv4
/// first. `told` are the names that the log has.
void cut(const std::string& host, std::vector<SocketAddress>& addresses,
         std::set<std::string>& told) {
    if (addresses.size() <= Resolver::max_addresses) return;
    std::ranges::sort(addresses, {}, bytes_of);
    const auto repeated = std::ranges::unique(addresses);
    addresses.erase(repeated.begin(), repeated.end());
    if (addresses.size() <= Resolver::max_addresses) return;
    if (told.insert(host).second)
        log::warn("dns: {} has {} addresses: the first {} in their order are used", host,
                  addresses.size(), Resolver::max_addresses);
    addresses.resize(Resolver::max_addresses);
}

/// The addresses of a result, with their port set, go into `addresses`.
void add_addresses(const ares_addrinfo& result, std::uint16_t port,
                   std::vector<SocketAddress>& addresses) {
    for (const auto* node = result.nodes; node != nullptr; node = node->ai_next) {
        if (addresses.size() == addresses_read) break;
        if (node->ai_family != AF_INET && node->ai_family != AF_INET6) continue;
        sockaddr_storage storage{};
        std::memcpy(&storage, node->ai_addr, node->ai_addrlen);
        auto* any = reinterpret_cast<sockaddr*>(&storage);
        if (node->ai_family == AF_INET) {
            reinterpret_cast<sockaddr_in*>(any)->sin_port = htons(port);
        } else {
            reinterpret_cast<sockaddr_in6*>(any)->sin6_port = htons(port);
        }
        const SocketAddress address(any, node->ai_addrlen);
        // Of many cut() takes out what is repeated.
        const bool few = addresses.size() < Resolver::max_addresses;
        if (!few || std::ranges::find(addresses, address) == addresses.end())
            addresses.push_back(address);
    }
}

/// The least TTL of the addresses and of the aliases that led to them.
std::chrono::seconds ttl_of(const ares_addrinfo& result) {
    int ttl = result.nodes != nullptr ? result.nodes->ai_ttl : 0;
    for (const auto* node = result.nodes; node != nullptr; node = node->ai_next) {
        ttl = std::min(ttl, node->ai_ttl);
    }
    for (const auto* alias = result.cnames; alias != nullptr; alias = alias->next) {
        ttl = std::min(ttl, alias->ttl);
    }
    return std::chrono::seconds(std::max(ttl, 0));
}

}  // namespace

struct CaresResolver::Impl : std::enable_shared_from_this<Impl> {
    struct Query;
    /// The question for the addresses of one family.
    struct Half {
        Query* of;
        int family;
        bool through = false;  ///< c-ares has let go of it
        std::vector<SocketAddress> addresses{};
        std::optional<std::chrono::seconds> ttl{};  ///< of these
        std::string failed{};                       ///< why nothing is known
        std::string none{};                         ///< what says that there are none

        [[nodiscard]] bool known() const noexcept { return through && failed.empty(); }
    };
    struct Query {
        Query(Impl& impl, std::string name, std::uint16_t at_port, Callback callback)
            : owner(impl),
              host(std::move(name)),
              port(at_port),
              done(std::move(callback)),
              deadline(impl.io) {}
        Impl& owner;  ///< holds it until it is through
        std::string host;
        std::uint16_t port;
        Callback done;                ///< empty once it was called
        asio::steady_timer deadline;  ///< runs until it was called
        std::array<Half, 2> halves{Half{this, AF_INET}, Half{this, AF_INET6}};

        [[nodiscard]] bool through() const noexcept {
            return halves[0].through && halves[1].through;
        }
        [[nodiscard]] Answer answer() const;
    };

    Impl(asio::io_context& context, Options chosen) : io(context), options(std::move(chosen)) {}
    ~Impl() { close(); }

    void open();
    void close() noexcept;
    void pump();
    void start(const std::shared_ptr<Query>& query);
    [[nodiscard]] bool found_in_file(Query& query);
    static void expect_by(const std::shared_ptr<Query>& query, asio::steady_timer::time_point when);
    void finish(Query& query, const Answer& answer);
    static void on_result(void* half, int status, int timeouts, ares_addrinfo* result);

    asio::io_context& io;
    Options options;
    bool other_servers = false;  ///< the channel asks those of before
    std::shared_ptr<AresChannel> channel = std::make_shared<AresChannel>(io, [this] { pump(); });
    std::string open_error;  ///< why the channel is not open
    std::deque<std::shared_ptr<Query>> queued;
    std::vector<std::shared_ptr<Query>> in_flight;  ///< c-ares holds plain pointers to these
    std::size_t told = 0;                           ///< of these, who have their answer
    std::set<std::string> cut_told;                 ///< names, by cut()
    bool closing = false;
    bool pumping = false;
};

CaresResolver::CaresResolver(asio::io_context& io) : CaresResolver(io, Options{}) {}

CaresResolver::CaresResolver(asio::io_context& io, Options options)
    : impl_(std::make_shared<Impl>(io, std::move(options))) {}

CaresResolver::~CaresResolver() = default;

void CaresResolver::resolve(const std::string& host, std::uint16_t port, Callback done) {
    if (const auto literal = SocketAddress::from_ip(host, port)) {
        done({{*literal}, std::nullopt, {}});
        return;
    }
    impl_->queued.push_back(std::make_shared<Impl::Query>(*impl_, host, port, std::move(done)));
    impl_->pump();
}

void CaresResolver::use_servers(std::string servers) {
    if (servers == impl_->options.servers) return;
    impl_->options.servers = std::move(servers);
    impl_->other_servers = true;
}

/// Reads the system's configuration as it is now.
void CaresResolver::Impl::open() {
    close();
    closing = false;
    other_servers = false;
    open_error = channel->open(options.servers, options.timeout);
}

void CaresResolver::Impl::close() noexcept {
    closing = true;  // results that c-ares still hands out are dropped
    channel->close();
}

/// Starts queued queries as far as the bound allows. Results may come at once (/etc/hosts), so
/// that this is entered again from below; only the outermost call goes round.
void CaresResolver::Impl::pump() {
    if (pumping) return;
    pumping = true;
    // A name that has its answer, though the other half is never answered, is in nobody's way.
    while (!queued.empty() && in_flight.size() - told < options.in_flight &&
           in_flight.size() < limits::dns_told_most * options.in_flight) {
        const bool idle = in_flight.empty() && !channel->busy();
        if (other_servers && !idle) break;  // the last one goes on
        if (idle) open();
        const std::shared_ptr<Query> next = std::move(queued.front());
        queued.pop_front();
        start(next);
    }
    pumping = false;
}

void CaresResolver::Impl::start(const std::shared_ptr<Query>& query) {
    if (!channel->is_open()) {
        finish(*query, failure("the resolver cannot start: " + open_error));
        return;
    }
    if (found_in_file(*query)) return;
    in_flight.push_back(query);
    expect_by(query, asio::steady_timer::clock_type::now() + options.timeout);
    for (Half& half : query->halves)
        channel->ask(query->host, half.family, &Impl::on_result, &half);
}

/// Answers what /etc/hosts has, and localhost (RFC 6761).
bool CaresResolver::Impl::found_in_file(Query& query) {
    struct Found {
        std::uint16_t port;
        Answer answer{};
    } found{query.port};
    // Without a server to be asked it tells before it returns.
    const auto tell = [](void* argument, int, int, ares_addrinfo* result) {
        Found& into = *static_cast<Found*>(argument);
        if (result == nullptr) return;
        add_addresses(*result, into.port, into.answer.addresses);
        ares_freeaddrinfo(result);
    };
    channel->look_up(query.host, tell, &found);
    if (found.answer.addresses.empty()) return false;
    cut(query.host, found.answer.addresses, cut_told);
    finish(query, found.answer);
    return true;
}

/// What has come until then is the answer.
void CaresResolver::Impl::expect_by(const std::shared_ptr<Query>& query,
                                    asio::steady_timer::time_point when) {
    query->deadline.expires_at(when);
    query->deadline.async_wait([weak = std::weak_ptr(query)](error_code error) {
        const auto late = weak.lock();
        if (error || !late) return;
        Impl& self = late->owner;
        ++self.told;
        self.finish(*late, late->answer());
        self.pump();
    });
}

Resolver::Answer CaresResolver::Impl::Query::answer() const {
    Answer answer;
    std::string none;
    for (const Half& half : halves) {
        if (half.known()) {
            for (const SocketAddress& address : half.addresses)
                answer.addresses.push_back(address);
            if (half.ttl) answer.ttl = std::min(*half.ttl, answer.ttl.value_or(*half.ttl));
            if (none.empty()) none = half.none;
            continue;
        }
        answer.unknown = half.family;
        answer.error = half.failed;
        if (answer.error.empty()) answer.error = "no answer in time";
    }
    cut(host, answer.addresses, owner.cut_told);
    if (!answer.addresses.empty()) return answer;
    answer.unknown = AF_UNSPEC;
    if (answer.error.empty()) answer.error = none;
    return answer;
}

void CaresResolver::Impl::on_result(void* argument, int status, int, ares_addrinfo* result) {
    Half& half = *static_cast<Half*>(argument);
    Query& query = *half.of;
    Impl& self = query.owner;
    half.through = true;
    if (status == ARES_SUCCESS) {
        add_addresses(*result, query.port, half.addresses);
        if (half.addresses.empty()) half.none = "the name has no addresses";
        if (!half.addresses.empty()) half.ttl = ttl_of(*result);
    } else if (status == ARES_ENODATA || status == ARES_ENOTFOUND) {
        half.none = ares_strerror(status);
    } else {
        half.failed = ares_strerror(status);
    }
    if (result != nullptr) ares_freeaddrinfo(result);
    const auto known = std::ranges::find(self.in_flight, &query, &std::shared_ptr<Query>::get);
    const std::shared_ptr<Query> held = *known;
    if (query.through()) {
        self.in_flight.erase(known);
        if (!query.done) --self.told;
    }
    if (self.closing) return;
    if (query.through()) {
        self.finish(query, query.answer());
    } else if (!half.addresses.empty() && query.done) {
        const auto soon = asio::steady_timer::clock_type::now() + limits::dns_other_family;
        expect_by(held, std::min(soon, query.deadline.expiry()));
    }
    self.pump();
}

/// Tells the asker, once. The query stays in flight until c-ares has let go of it.
void CaresResolver::Impl::finish(Query& query, const Answer& answer) {
    const Callback done = std::exchange(query.done, nullptr);
    query.deadline.cancel();
    if (done) done(answer);
}

}  // namespace scrollgate
