#include "proxy/server/drain.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "core/log.hpp"

namespace scrollgate {

namespace asio = boost::asio;

Drain::Drain(asio::io_context& control, Alarm& alarm, const config::Timeouts& timeouts,
             ListenerSet& listeners, std::vector<Worker*> workers, std::function<void()> done)
    : control_(control),
      alarm_(alarm),
      timeouts_(timeouts),
      listeners_(listeners),
      workers_(std::move(workers)),
      done_(std::move(done)) {
    for (Worker* worker : workers_) worker->say_close();
    alarm_.set(timeouts_.drain_delay, [this] { stop_accepting(); });
}

void Drain::stop_accepting() {
    const std::vector<SocketAddress> addresses = listeners_.addresses();
    accepting_ = addresses.size() * workers_.size();
    for (const SocketAddress& address : addresses) {
        listeners_.seal(address);
        for (std::size_t i = 0; i < workers_.size(); ++i) {
            workers_[i]->stop_listening(listeners_.sockets(address)[i], [this] {
                asio::post(control_, [this] {
                    if (--accepting_ == 0) wait_for_connections();
                });
            });
        }
    }
    if (addresses.empty()) wait_for_connections();
}

void Drain::wait_for_connections() {
    serving_ = workers_.size();
    if (timeouts_.drain != no_limit) alarm_.set(timeouts_.drain, [this] { hurry(); });
    for (Worker* worker : workers_) {
        worker->drain([this] { asio::post(control_, [this] { worker_done(); }); });
    }
}

void Drain::worker_done() {
    if (--serving_ == 0) done_();
}

void Drain::hurry() {
    if (hurried_ || serving_ == 0) return done_();
    hurried_ = true;
    log::warn("drain: calling off what is still under way");
    for (Worker* worker : workers_) worker->abandon_all();
    alarm_.set(std::chrono::seconds(1), done_);
}

void drop_listener(ListenerSet& listeners, const std::vector<std::unique_ptr<Worker>>& workers,
                   asio::io_context& control, const SocketAddress& address) {
    listeners.seal(address);
    const auto left = std::make_shared<std::size_t>(workers.size());
    for (std::size_t i = 0; i < workers.size(); ++i) {
        const int socket = listeners.sockets(address)[i];
        workers[i]->stop_listening(socket, [&listeners, &control, address, left] {
            asio::post(control, [&listeners, address, left] {
                if (--*left == 0) {
                    listeners.close(address);
                    log::info("no longer listening on {}", address.text());
                }
            });
        });
    }
}

}  // namespace scrollgate
