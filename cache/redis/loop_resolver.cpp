#include "cache/redis/loop_resolver.hpp"

#include <mutex>
#include <utility>

#include <boost/asio/post.hpp>

namespace scrollgate::redis {

/// Outlives the resolver while questions are under way: their answers find that it has gone.
struct LoopResolver::Shared {
    std::mutex mutex;
    EventLoop* loop = nullptr;  ///< under mutex; null: destroyed
};

LoopResolver::LoopResolver(EventLoop& loop, boost::asio::io_context& control, Resolver& resolver)
    : loop_(loop), control_(control), resolver_(resolver), shared_(std::make_shared<Shared>()) {
    shared_->loop = &loop;
}

LoopResolver::~LoopResolver() {
    const std::lock_guard lock(shared_->mutex);
    shared_->loop = nullptr;
}

void LoopResolver::resolve(const std::string& host, std::uint16_t port, Callback done) {
    if (const auto literal = SocketAddress::from_ip(host, port)) {
        done({{*literal}, {}, {}});
        return;
    }
    // The callback is called on the loop's thread alone.
    auto mine = std::make_shared<Callback>(std::move(done));
    boost::asio::post(control_, [shared = shared_, host, port, mine = std::move(mine),
                                 resolver = &resolver_]() mutable {
        resolver->resolve(
            host, port,
            [shared = std::move(shared), mine = std::move(mine)](const Resolver::Answer& answer) {
                const std::lock_guard lock(shared->mutex);
                if (shared->loop == nullptr) return;
                shared->loop->post([shared, mine, answer] {
                    // Destroyed by this thread, if it was.
                    if (shared->loop != nullptr) (*mine)(answer);
                });
            });
    });
}

}  // namespace scrollgate::redis
