#include "proxy/server/drain.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/ranges.h>

#include "core/limits.hpp"
#include "core/log.hpp"

namespace scrollgate {

namespace asio = boost::asio;

Drain::Drain(asio::io_context& control, Alarm& alarm, const config::Timeouts& timeouts,
             ListenerSet& listeners, std::vector<Worker*> workers, Hooks hooks)
    : control_(control),
      alarm_(alarm),
      timeouts_(timeouts),
      listeners_(listeners),
      workers_(std::move(workers)),
      hooks_(std::move(hooks)) {
    for (Worker* worker : workers_)
        worker->say_close();
    alarm_.set(timeouts_.drain_delay, [this] { stop_accepting(); });
}

void Drain::stop_accepting() {
    for (const SocketAddress& address : listeners_.addresses())
        listeners_.seal(address);
    serving_ = workers_.size();
    if (timeouts_.drain != no_limit) alarm_.set(timeouts_.drain, [this] { hurry(); });
    for (Worker* worker : workers_) {
        worker->drain([this] { asio::post(control_, [this] { worker_done(); }); });
    }
}

void Drain::worker_done() {
    if (--serving_ == 0) write_purges(limits::tier_confirm);
}

void Drain::write_purges(Duration left) {
    constexpr Duration pause = std::chrono::milliseconds(10);
    if (left > Duration::zero() && !hooks_.unwritten().empty())
        return alarm_.set(pause, [this, then = left - pause] { write_purges(then); });
    end();
}

void Drain::end() {
    const std::vector<std::string> logs = hooks_.unwritten();
    if (!logs.empty())
        log::warn(
            "drain: purges that are not known to be written may be lost, so that nodes there keep "
            "what they cover: {}",
            fmt::join(logs, ", "));
    hooks_.done();
}

void Drain::hurry() {
    if (hurried_ || serving_ == 0) return end();
    hurried_ = true;
    log::warn("drain: calling off what is still under way");
    for (Worker* worker : workers_)
        worker->abandon_all();
    alarm_.set(std::chrono::seconds(1), [this] { write_purges(limits::tier_confirm); });
}

void drop_listener(ListenerSet& listeners, const std::vector<std::unique_ptr<Worker>>& workers,
                   asio::io_context& control, const SocketAddress& address) {
    listeners.seal(address);
    const auto close = [&listeners, &workers, &control, address] {
        const auto left = std::make_shared<std::size_t>(workers.size());
        for (std::size_t i = 0; i < workers.size(); ++i) {
            const int socket = listeners.sockets(address)[i];
            workers[i]->stop_listening(socket, [&listeners, &control, address, left] {
                asio::post(control, [&listeners, address, left] {
                    if (--*left > 0) return;
                    listeners.close(address);
                    log::info("no longer listening on {}", address.text());
                });
            });
        }
    };
    // The timer belongs to its own wait: it goes with the control loop at the latest.
    const auto timer = std::make_shared<asio::steady_timer>(control, limits::seal_wait);
    timer->async_wait([close, timer](boost::system::error_code error) {
        if (!error) close();
    });
}

}  // namespace scrollgate
