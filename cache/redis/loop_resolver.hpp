// LoopResolver: names for a thread that has a loop of its own, by control's resolver.
//
// IP literals are answered at once; names are asked on control's io_context, and the answer comes
// back by a post. Belongs to the loop's thread; destroying it calls off what is under way.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "core/net/event_loop.hpp"
#include "core/net/resolver.hpp"

namespace scrollgate::redis {

class LoopResolver final : public Resolver {
  public:
    /// All outlive it. `resolver` belongs to the thread that runs `control`; the loop is not posted
    /// to any more once this has been destroyed.
    LoopResolver(EventLoop& loop, boost::asio::io_context& control, Resolver& resolver);
    ~LoopResolver() override;

    void resolve(const std::string& host, std::uint16_t port, Callback done) override;

  private:
    struct Shared;
    EventLoop& loop_;
    boost::asio::io_context& control_;
    Resolver& resolver_;
    std::shared_ptr<Shared> shared_;
};

}  // namespace scrollgate::redis
