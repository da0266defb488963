// Flight: one command on its way, from the moment it is taken until its answer, or its loss.
//
// It keeps its bytes, because a cluster may send it on to another node, and its deadline. When that
// passes, whoever waits is told, and the flight stays as a tombstone: its answer, when it comes, is
// skipped. Where a redirection takes it, it goes on with the same deadline. One loop's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "cache/redis/command.hpp"
#include "cache/redis/reply.hpp"
#include "cache/redis/statistics.hpp"
#include "core/result.hpp"
#include "core/timer_wheel.hpp"

namespace scrollgate::redis {

class Flight;

/// Who waits for an answer.
class Asker {
  public:
    virtual void answered(Result<Reply> result) noexcept = 0;

  protected:
    ~Asker() = default;
};

/// Who is told that a deadline has passed, before the asker is. May destroy the flight.
class Overseer {
  public:
    virtual void late(Flight& flight) noexcept = 0;

  protected:
    ~Overseer() = default;
};

/// What all flights of one client take up.
struct Load {
    explicit Load(Statistics& shown) noexcept : statistics(shown) {}
    void add(std::size_t size) noexcept {
        ++commands;
        bytes += size;
        Statistics::add(statistics.pending, 1);
        Statistics::add(statistics.pending_bytes, size);
    }
    void remove(std::size_t size) noexcept {
        --commands;
        bytes -= size;
        Statistics::add(statistics.pending, static_cast<std::uint64_t>(-1));
        Statistics::add(statistics.pending_bytes, 0 - static_cast<std::uint64_t>(size));
    }

    Statistics& statistics;
    std::size_t commands = 0, bytes = 0;
};

class Flight final : private TimerWheel::Timer {
  public:
    /// What it is for, which decides who hears of its answer.
    enum class Purpose : std::uint8_t {
        question,  ///< of Client::ask()
        told,      ///< of Client::tell()
        greeting,  ///< the node's own, at the beginning of a connection
        upkeep,    ///< the node's own: AUTH, PING, SCRIPT LOAD, ASKING; its answer is nobody's
    };

    Flight(Command what, Purpose for_what, Load& load) noexcept
        : command(std::move(what)), purpose(for_what), load_(load) {
        load_.add(command.wire().size());
    }
    ~Flight() override {
        fail(ErrorKind::cancelled, "redis: not sent");
        load_.remove(command.wire().size());
    }

    using Timer::armed;
    using Timer::disarm;
    [[nodiscard]] Timer& timer() noexcept { return *this; }

    /// Tells who waits, if somebody does; once.
    void answer(Result<Reply> result) noexcept {
        disarm();
        if (Asker* const asker = std::exchange(waits, nullptr)) asker->answered(std::move(result));
    }
    void fail(ErrorKind kind, const char* detail) noexcept {
        if (waits != nullptr) answer(Error{.kind = kind, .retry_safe = false, .detail = detail});
    }
    /// Asked, and nobody waits any more.
    [[nodiscard]] bool forgotten() const noexcept {
        return purpose == Purpose::question && waits == nullptr;
    }

    Command command;
    Purpose purpose;
    std::uint8_t step = 0;  ///< of a greeting
    std::uint8_t redirects = 0;
    Asker* waits = nullptr;
    Overseer* overseer = nullptr;  ///< while it has a deadline
    TimePoint submitted{}, until = never;

  private:
    void expired() noexcept override {
        Asker* const asker = std::exchange(waits, nullptr);
        if (overseer != nullptr) overseer->late(*this);
        if (asker != nullptr) {
            asker->answered(
                Error{.kind = ErrorKind::upstream_timeout, .detail = "redis: no answer in time"});
        }
    }

    Load& load_;
};
using FlightPtr = std::unique_ptr<Flight>;

}  // namespace scrollgate::redis
