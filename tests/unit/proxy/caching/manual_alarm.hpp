// An alarm that tests ring by hand.
#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "core/net/alarm.hpp"

namespace scrollgate::test {

class HandAlarm final : public Alarm {
  public:
    void set(Duration in, std::function<void()> ring) override {
        wait = in;
        ring_ = std::move(ring);
    }
    void cancel() noexcept override {
        wait.reset();
        ring_ = nullptr;
    }
    /// Rings, if it is set.
    void ring() {
        wait.reset();
        if (const auto call = std::exchange(ring_, nullptr)) call();
    }

    std::optional<Duration> wait;  ///< of the call that is set

  private:
    std::function<void()> ring_;
};

}  // namespace scrollgate::test
