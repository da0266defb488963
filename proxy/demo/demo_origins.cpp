#include "proxy/demo/demo_origins.hpp"

#include <list>
#include <thread>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/http1/beast_server.hpp"
#include "proxy/demo/site.hpp"

namespace scrollgate::demo {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

// More than a load generator opens through the proxy.
constexpr std::size_t connections = 4096;

// One cloud: its site behind its server, every answer held back by the cloud's latency.
class Cloud {
  public:
    Cloud(asio::io_context& context, const Origin& origin, FileShelf& files)
        : context_(context),
          latency_(origin.latency),
          site_(origin.provider, origin.region, files),
          server_(
              context,
              [this](const http1::HttpRequest& request, http1::HttpReply reply) {
                  handle(request, std::move(reply));
              },
              bounds()) {}

    [[nodiscard]] std::string listen(SocketAddress& address) {
        std::string problem = server_.listen(address);
        if (problem.empty()) address = *SocketAddress::from_ip("127.0.0.1", server_.port());
        return problem;
    }
    void stop() noexcept {
        server_.stop();
        waiting_.clear();
    }

  private:
    struct Waiting {
        asio::steady_timer timer;
        http1::HttpReply reply;
        http1::HttpResponse response;
    };

    static http1::ServerBounds bounds() {
        http1::ServerBounds bounds;
        bounds.connections = connections;
        return bounds;
    }

    void handle(const http1::HttpRequest& request, http1::HttpReply reply) {
        Answer answer = site_.answer(request);
        const auto at = waiting_.insert(
            waiting_.end(), Waiting{asio::steady_timer(context_, latency_ + answer.extra),
                                    std::move(reply), std::move(answer.response)});
        at->timer.async_wait([this, at](const boost::system::error_code& error) {
            if (error) return;  // stop() has cleared the list
            const http1::HttpReply send = std::move(at->reply);
            http1::HttpResponse response = std::move(at->response);
            waiting_.erase(at);
            send(std::move(response));
        });
    }

    asio::io_context& context_;
    milliseconds latency_;
    Site site_;
    std::list<Waiting> waiting_;  // at most one per connection
    http1::BeastServer server_;
};

}  // namespace

struct DemoOrigins::Impl {
    asio::io_context context{1};
    asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
    FileShelf files;
    std::vector<Origin> origins;
    std::list<Cloud> clouds;
    std::thread thread;
};

DemoOrigins::DemoOrigins() : impl_(std::make_unique<Impl>()) {
    const SocketAddress anywhere = *SocketAddress::from_ip("127.0.0.1", 0);
    impl_->origins = {{"aws", "us-east-1", anywhere, milliseconds(2)},
                      {"gcp", "us-central1", anywhere, milliseconds(8)},
                      {"azure", "eastus", anywhere, milliseconds(15)}};
}

DemoOrigins::~DemoOrigins() {
    stop();
}

std::string DemoOrigins::start() {
    for (Origin& origin : impl_->origins) {
        Cloud& cloud = impl_->clouds.emplace_back(impl_->context, origin, impl_->files);
        if (std::string problem = cloud.listen(origin.address); !problem.empty()) {
            stop();
            return problem;
        }
    }
    impl_->thread = std::thread([this] { impl_->context.run(); });
    return {};
}

void DemoOrigins::stop() noexcept {
    const auto close_all = [this] {
        for (Cloud& cloud : impl_->clouds) {
            cloud.stop();
        }
        impl_->work.reset();
    };
    if (impl_->thread.joinable()) {
        asio::post(impl_->context, close_all);
        impl_->thread.join();
    } else {
        close_all();
    }
}

const std::vector<Origin>& DemoOrigins::origins() const noexcept {
    return impl_->origins;
}

}  // namespace scrollgate::demo
