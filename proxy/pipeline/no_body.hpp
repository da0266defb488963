// NoBody: the body of a request that has none, for exchanges that no client's connection is in.
#pragma once

#include "proxy/pipeline/ends.hpp"

namespace scrollgate {

class NoBody final : public BodySource {
  public:
    Task<Result<BodyChunk>> pull() override {
        return Task<Result<BodyChunk>>::ready(BodyChunk{{}, true, nullptr});
    }
    [[nodiscard]] bool ready() const noexcept override { return true; }
    [[nodiscard]] bool ended() const noexcept override { return true; }
    void bound(Duration, TimePoint) noexcept override {}
    void interrupt() noexcept override {}
    void resume() noexcept override {}
};

}  // namespace scrollgate
