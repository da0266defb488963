// How c-ares lives in an io_context: it tells which of its sockets it wants to read or write
// (socket_state), each wait that fires lets it process that socket, and one timer stands for the
// earliest of its own timeouts. Handlers hold the Impl weakly, so that they may outlive it.
#include "core/net/resolver.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <map>
#include <utility>

#include <ares.h>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "core/limits.hpp"

namespace scrollgate {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t told_most = 8;  // names in flight in all, in those that are asked at once

/// One of c-ares's sockets. c-ares opens and closes it; asio only waits for it.
struct Socket {
    Socket(asio::io_context& io, int fd) : descriptor(io, fd) {}
    asio::posix::stream_descriptor descriptor;
    bool wants_read = false, wants_write = false;    ///< what c-ares asked for
    bool awaits_read = false, awaits_write = false;  ///< waits that are pending
};

Resolver::Answer failure(std::string why) {
    return {{}, std::nullopt, std::move(why)};
}

/// The addresses of a result, with their port set, go into `addresses`.
void add_addresses(const ares_addrinfo& result, std::uint16_t port,
                   std::vector<SocketAddress>& addresses) {
    for (const auto* node = result.nodes; node != nullptr; node = node->ai_next) {
        if (addresses.size() == Resolver::max_addresses) break;
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
        if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) {
            addresses.push_back(address);
        }
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

/// Asks for one family, or for both.
void ask(ares_channel channel, const std::string& host, int family, ares_addrinfo_callback tell,
         void* argument) {
    ares_addrinfo_hints hints{};
    hints.ai_family = family;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = ARES_AI_NOSORT;  // sorting would open a socket per address
    ares_getaddrinfo(channel, host.c_str(), nullptr, &hints, tell, argument);
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

    Impl(asio::io_context& context, Options chosen)
        : io(context), options(std::move(chosen)), timer(context) {
        ares_library_init(ARES_LIB_INIT_ALL);
    }

    ~Impl() {
        close();
        ares_library_cleanup();
    }

    void open();
    void close() noexcept;
    void pump();
    void start(const std::shared_ptr<Query>& query);
    [[nodiscard]] bool found_in_file(Query& query);
    static void expect_by(const std::shared_ptr<Query>& query, asio::steady_timer::time_point when);
    void finish(Query& query, const Answer& answer);
    void socket_state(int fd, bool read, bool write);
    void wait(int fd, const std::shared_ptr<Socket>& socket);
    void process(int read_fd, int write_fd);
    void arm_timer();
    static void on_result(void* half, int status, int timeouts, ares_addrinfo* result);

    asio::io_context& io;
    Options options;
    bool other_servers = false;  ///< the channel asks those of before
    ares_channel channel = nullptr;
    ares_channel files = nullptr;  ///< asks no server
    std::string open_error;        ///< why there is no channel
    std::map<int, std::shared_ptr<Socket>> sockets;
    asio::steady_timer timer;
    std::deque<std::shared_ptr<Query>> queued;
    std::vector<std::shared_ptr<Query>> in_flight;  ///< c-ares holds plain pointers to these
    std::size_t told = 0;                           ///< of these, who have their answer
    bool closing = false;
    bool pumping = false;
    int depth = 0;  ///< calls into c-ares on the stack
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

/// A new channel, which reads the system's configuration as it is now.
void CaresResolver::Impl::open() {
    close();
    closing = false;
    other_servers = false;
    ares_options wanted{};
    // Two tries, of which c-ares doubles the second: together a little more than the deadline.
    wanted.timeout = std::max(1, static_cast<int>(options.timeout.count() * 2 / 5));
    wanted.tries = 2;
    wanted.sock_state_cb_data = this;
    wanted.sock_state_cb = [](void* self, ares_socket_t fd, int readable, int writable) {
        static_cast<Impl*>(self)->socket_state(fd, readable != 0, writable != 0);
    };
    char dns[] = "b", file[] = "f";
    wanted.lookups = dns;
    int status = ares_init_options(
        &channel, &wanted,
        ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB | ARES_OPT_LOOKUPS);
    if (status != ARES_SUCCESS) channel = nullptr;
    if (status == ARES_SUCCESS && !options.servers.empty()) {
        status = ares_set_servers_ports_csv(channel, options.servers.c_str());
    }
    ares_options local{};
    local.lookups = file;
    if (status == ARES_SUCCESS) status = ares_init_options(&files, &local, ARES_OPT_LOOKUPS);
    if (status != ARES_SUCCESS) close();
    open_error = status == ARES_SUCCESS ? "" : ares_strerror(status);
}

void CaresResolver::Impl::close() noexcept {
    closing = true;  // results that c-ares still hands out are dropped
    for (ares_channel* one : {&channel, &files}) {
        if (*one != nullptr) ares_destroy(*one);
        *one = nullptr;
    }
    for (auto& [fd, socket] : sockets)
        socket->descriptor.release();
    sockets.clear();
}

/// Starts queued queries as far as the bound allows. Results may come at once (/etc/hosts), so
/// that this is entered again from below; only the outermost call goes round.
void CaresResolver::Impl::pump() {
    if (pumping) return;
    pumping = true;
    // A name that has its answer, though the other half is never answered, is in nobody's way.
    while (!queued.empty() && in_flight.size() - told < options.in_flight &&
           in_flight.size() < told_most * options.in_flight) {
        if (other_servers && !(in_flight.empty() && depth == 0)) break;  // the last one goes on
        if (in_flight.empty() && depth == 0) open();
        const std::shared_ptr<Query> next = std::move(queued.front());
        queued.pop_front();
        start(next);
    }
    pumping = false;
    if (depth == 0) arm_timer();
}

void CaresResolver::Impl::start(const std::shared_ptr<Query>& query) {
    if (channel == nullptr) {
        finish(*query, failure("the resolver cannot start: " + open_error));
        return;
    }
    if (found_in_file(*query)) return;
    in_flight.push_back(query);
    expect_by(query, asio::steady_timer::clock_type::now() + options.timeout);
    ++depth;
    for (Half& half : query->halves)
        ask(channel, query->host, half.family, &Impl::on_result, &half);
    --depth;
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
    ask(files, query.host, AF_UNSPEC, tell, &found);
    if (found.answer.addresses.empty()) return false;
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
                if (answer.addresses.size() < max_addresses) answer.addresses.push_back(address);
            if (half.ttl) answer.ttl = std::min(*half.ttl, answer.ttl.value_or(*half.ttl));
            if (none.empty()) none = half.none;
            continue;
        }
        answer.unknown = half.family;
        answer.error = half.failed;
        if (answer.error.empty()) answer.error = "no answer in time";
    }
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

/// c-ares wants these events of this socket from now on; none means that it closes it now.
void CaresResolver::Impl::socket_state(int fd, bool read, bool write) {
    const auto known = sockets.find(fd);
    if (!read && !write) {
        if (known == sockets.end()) return;
        known->second->wants_read = known->second->wants_write = false;
        known->second->descriptor.release();  // cancels the waits, leaves closing to c-ares
        sockets.erase(known);
        return;
    }
    std::shared_ptr<Socket> socket =
        known != sockets.end() ? known->second : std::make_shared<Socket>(io, fd);
    socket->wants_read = read;
    socket->wants_write = write;
    if (known == sockets.end()) sockets.emplace(fd, socket);
    wait(fd, socket);
}

void CaresResolver::Impl::wait(int fd, const std::shared_ptr<Socket>& socket) {
    const auto await = [&](bool wanted, bool Socket::*pending, bool for_read) {
        if (!wanted || (*socket).*pending) return;
        (*socket).*pending = true;
        const auto event = for_read ? asio::posix::descriptor_base::wait_read
                                    : asio::posix::descriptor_base::wait_write;
        socket->descriptor.async_wait(
            event, [weak = weak_from_this(), fd, socket, pending, for_read](error_code error) {
                (*socket).*pending = false;
                const auto self = weak.lock();
                if (error || !self) return;
                const bool wants = for_read ? socket->wants_read : socket->wants_write;
                if (wants)
                    self->process(for_read ? fd : ARES_SOCKET_BAD, for_read ? ARES_SOCKET_BAD : fd);
                // Only if c-ares has not closed it meanwhile (and maybe reused the number).
                const auto now = self->sockets.find(fd);
                if (now != self->sockets.end() && now->second == socket) self->wait(fd, socket);
            });
    };
    await(socket->wants_read, &Socket::awaits_read, true);
    await(socket->wants_write, &Socket::awaits_write, false);
}

void CaresResolver::Impl::process(int read_fd, int write_fd) {
    if (channel == nullptr) return;
    ++depth;
    ares_process_fd(channel, read_fd, write_fd);
    --depth;
    pump();  // arms the timer, too
}

void CaresResolver::Impl::arm_timer() {
    timeval left{};
    if (channel == nullptr || ares_timeout(channel, nullptr, &left) == nullptr) {
        timer.cancel();  // nothing is outstanding
        return;
    }
    timer.expires_after(std::chrono::seconds(left.tv_sec) +
                        std::chrono::microseconds(left.tv_usec));
    timer.async_wait([weak = weak_from_this()](error_code error) {
        const auto self = weak.lock();
        if (!error && self) self->process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    });
}

}  // namespace scrollgate
