// Http2Connection: one connection of an HTTP/2 client, from connecting to its end.
//
// It can be used when the peer's SETTINGS have come, because only then is known how many streams it
// takes; a peer that does not speak HTTP/2 shows itself here. After a GOAWAY, or when it is
// retired, it carries on what it has and takes nothing new. One worker; no locks.
#pragma once

#include "bench/load/client_common.hpp"
#include "bench/load/dial.hpp"
#include "core/http2/client_session.hpp"
#include "core/http2/link.hpp"

namespace scrollgate::bench {

class Http2Connection final : public http2::ClientSession {
  public:
    /// Whoever opens connections.
    class Owner {
      public:
        /// SETTINGS came: it can be used, and peer_streams() is known (anew).
        virtual void settled(Http2Connection& connection) noexcept = 0;
        /// It has ended, and no stream is open; `why` if it had never settled.
        virtual void ended(Http2Connection& connection, Failure why) noexcept = 0;

      protected:
        ~Owner() = default;
    };

    /// Everything outlives the connection.
    Http2Connection(LoadWorker& worker, const Dial& dial, const SocketAddress& address,
                    Owner& owner);

    /// Connects and waits for SETTINGS, until `until` at the latest.
    void start(TimePoint until) { running_.start(run(until)); }
    /// co_await connection.join(): until it has ended.
    auto join() noexcept { return running_.join(); }
    /// Started, and not yet at its end: may not be destroyed.
    [[nodiscard]] bool running() const noexcept { return running_.running(); }

    [[nodiscard]] bool connected() const noexcept { return connected_; }
    /// New streams are welcome, now or when it has settled.
    [[nodiscard]] bool welcomes() const noexcept { return !retired_ && !going_away(); }
    /// Takes no new streams, and closes after the last one.
    void retire() noexcept;
    /// A stream has ended.
    void stream_ended(Sample& sample) noexcept;
    void close() noexcept { link_.close(); }
    [[nodiscard]] http2::Link& link() noexcept { return link_; }

  private:
    void settings_came() noexcept override;
    Task<void> run(TimePoint until);

    Owner& owner_;
    const SocketAddress& address_;
    http2::Link link_;
    Child running_;
    std::uint64_t counted_in_ = 0, counted_out_ = 0;  ///< bytes that samples have got
    bool connected_ = false, retired_ = false;
};

}  // namespace scrollgate::bench
