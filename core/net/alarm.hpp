// Alarm: one wake-up call on the control thread. A seam: the other implementation is the one that
// tests ring by hand. While it is not set it leaves the process asleep.
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/io_context.hpp>

#include "core/clock.hpp"

namespace scrollgate {

class Alarm {
  public:
    virtual ~Alarm() = default;
    /// Calls `ring` once, `in` (>= 0) from now; the call that was set before is forgotten.
    virtual void set(Duration in, std::function<void()> ring) = 0;
    /// Forgets the call that was set, if there is one.
    virtual void cancel() noexcept = 0;
};

/// An alarm of an io_context's thread. Destroying it cancels it.
class AsioAlarm final : public Alarm {
  public:
    explicit AsioAlarm(boost::asio::io_context& io);
    ~AsioAlarm() override;

    void set(Duration in, std::function<void()> ring) override;
    void cancel() noexcept override;

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace scrollgate
