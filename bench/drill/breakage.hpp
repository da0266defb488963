// Breakage: what a drill does to a part of the system under load, and how it is mended.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/clock.hpp"

namespace scrollgate::bench {

class Breakage {
  public:
    virtual ~Breakage() = default;
    /// "kill 4711", for people.
    [[nodiscard]] virtual std::string what() const = 0;
    /// Breaks it, and counts the requests that were on the victim: looks for up to a second until
    /// there is one. Throws std::runtime_error if it cannot be done.
    [[nodiscard]] virtual std::uint64_t strike() = 0;
    /// Undoes strike(), if that can be: false if not. Idempotent; does not throw.
    virtual bool mend() noexcept = 0;
};

/// The victim as it is given on the command line; exactly one kind is set.
struct Victim {
    std::optional<int> kill, stop;  ///< process ids
    std::string blackhole;          ///< HOST or HOST:PORT, addresses only
    std::optional<int> netns;       ///< process whose network namespace `blackhole` works in
    std::string admin, pool;        ///< the admin URL and the pool to fail there
    std::string token_file;
    Duration length = no_limit;  ///< how long it stays broken; no_limit: to the end
};

/// The breakage of `victim`. Throws BadInput (url.hpp) if it cannot work: no such process, the
/// machine's own network namespace, an address that is none, no nft.
[[nodiscard]] std::unique_ptr<Breakage> make_breakage(const Victim& victim);

}  // namespace scrollgate::bench
