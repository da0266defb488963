// Breaking a process: killed, or stopped so that it still shakes hands but never answers.
#pragma once

#include "bench/drill/breakage.hpp"

namespace scrollgate::bench {

[[nodiscard]] std::unique_ptr<Breakage> make_kill(int pid);
[[nodiscard]] std::unique_ptr<Breakage> make_stop(int pid);

}  // namespace scrollgate::bench
