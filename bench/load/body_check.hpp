// BodyCheck: length and hash of a response body as it comes.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "bench/load/sample.hpp"
#include "bench/plan/plan.hpp"

namespace scrollgate::bench {

class BodyCheck {
  public:
    /// `expect` outlives this.
    explicit BodyCheck(const Plan::Expectation& expect);
    ~BodyCheck();

    void begin();
    void add(std::string_view bytes);
    /// Judges a complete response to a GET-like request; `bodiless` ones (HEAD, 204, 304) are not
    /// asked for length and hash.
    [[nodiscard]] std::optional<Failure> judge(std::uint16_t status, bool bodiless);

  private:
    struct Digest;
    const Plan::Expectation& expect_;
    std::unique_ptr<Digest> digest_;  ///< only if a hash is expected
    std::uint64_t length_ = 0;
};

}  // namespace scrollgate::bench
