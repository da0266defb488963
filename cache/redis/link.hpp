// Link: one connection to one node, with all commands that are under way on it, first in, first
// out.
//
// submit() queues; what was queued in one turn of the loop leaves in one gather write at its end.
// Answers belong to the flights in their order; a flight that was forgotten before any byte of it
// was given to the stream is not sent at all. A read is always pending, so an end is seen at once.
//
// Owned through LinkPtr: letting it go closes the stream, fails what is under way, and destroys the
// link when nothing of it is pending in the loop any more. One loop's thread.
#pragma once

#include <deque>
#include <memory>
#include <string_view>

#include "cache/redis/flight.hpp"
#include "cache/redis/reply_reader.hpp"
#include "core/net/event_loop.hpp"

namespace scrollgate::redis {

class Link final {
  public:
    /// Hears what becomes of it. Each call may let the link go.
    class Owner {
      public:
        virtual void connected(const boost::system::error_code& error) noexcept = 0;
        /// A reply to nobody: true if it was one that the owner expects (pub/sub). Asked before
        /// a reply is taken for an answer.
        virtual bool pushed(Reply& reply) noexcept = 0;
        virtual void answered(FlightPtr flight, Reply reply) noexcept = 0;
        /// It is over; `why` is for people. The owner lets it go.
        virtual void broken(std::string_view why) noexcept = 0;

      protected:
        ~Owner() = default;
    };
    struct Dismiss {
        void operator()(Link* link) const noexcept { link->dismiss(); }
    };
    using Ptr = std::unique_ptr<Link, Dismiss>;

    [[nodiscard]] static Ptr make(EventLoop& loop, std::unique_ptr<Stream> stream, Owner& owner,
                                  Statistics& statistics) {
        return Ptr(new Link(loop, std::move(stream), owner, statistics));
    }

    void connect(const SocketAddress& peer);
    /// Behind the others. Only when connected.
    void submit(FlightPtr flight);

    /// Flights whose answers have not come, forgotten ones included.
    [[nodiscard]] std::size_t pending() const noexcept { return flights_.size(); }
    /// The one whose answer is due first. Only if there are some.
    [[nodiscard]] const Flight& first() const noexcept { return *flights_.front(); }
    /// When bytes came last.
    [[nodiscard]] TimePoint heard() const noexcept { return heard_; }

  private:
    /// One kind of completion.
    class Port final : public IoHandler {
      public:
        Port(Link& link, void (Link::*call)(const IoResult&) noexcept) noexcept
            : link_(link), call_(call) {}
        void done(IoResult result) noexcept override;
        bool pending = false;

      private:
        Link& link_;
        void (Link::*call_)(const IoResult&) noexcept;
    };

    Link(EventLoop& loop, std::unique_ptr<Stream> stream, Owner& owner, Statistics& statistics);
    ~Link() = default;

    void dismiss() noexcept;
    void end_if_idle() noexcept;
    void was_connected(const IoResult& result) noexcept;
    void was_read(const IoResult& result) noexcept;
    void has_room(const IoResult& result) noexcept;
    void flush(const IoResult& result) noexcept;
    [[nodiscard]] bool write_some() noexcept;
    [[nodiscard]] std::size_t gather(iovec* parts) noexcept;
    void advance(std::size_t bytes) noexcept;
    void read() noexcept;
    void choose_buffer(std::size_t got) noexcept;
    [[nodiscard]] bool hand_out() noexcept;

    EventLoop& loop_;
    std::unique_ptr<Stream> stream_;
    Owner* owner_;  ///< null: dismissed
    Statistics& statistics_;
    Port connect_, read_, write_, flush_;
    bool inside_ = false;  ///< a completion is being handled

    std::deque<FlightPtr> flights_;
    std::size_t written_ = 0;  ///< flights that have left whole
    std::size_t offset_ = 0;   ///< bytes of the next one that have left
    std::size_t given_ = 0;    ///< flights that the stream has seen: it may hold a part of them

    BufferLease buffer_;
    ReplyReader reader_;
    TimePoint heard_{};
};

}  // namespace scrollgate::redis
