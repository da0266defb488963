// A lost cloud: packets to and from an address vanish, in a network namespace made for that.
#pragma once

#include "bench/drill/breakage.hpp"

namespace scrollgate::bench {

/// `address`: IP or IP:PORT. `netns`: a process in the namespace, by default this one. Throws
/// BadInput (url.hpp): the namespace of process 1 is never touched.
[[nodiscard]] std::unique_ptr<Breakage> make_blackhole(const std::string& address,
                                                       std::optional<int> netns);

}  // namespace scrollgate::bench
