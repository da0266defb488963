#include "bench/drill/breakage.hpp"

#include "bench/drill/blackhole.hpp"
#include "bench/drill/pool_failure.hpp"
#include "bench/drill/processes.hpp"
#include "bench/plan/url.hpp"

namespace scrollgate::bench {

std::unique_ptr<Breakage> make_breakage(const Victim& victim) {
    const int kinds = (victim.kill ? 1 : 0) + (victim.stop ? 1 : 0) +
                      (victim.blackhole.empty() ? 0 : 1) + (victim.pool.empty() ? 0 : 1);
    if (kinds != 1)
        throw BadInput(
            "drill: one of --kill PID, --stop PID, --blackhole ADDRESS, and --admin URL "
            "with --fail POOL");
    if (victim.kill) return make_kill(*victim.kill);
    if (victim.stop) return make_stop(*victim.stop);
    if (!victim.blackhole.empty()) return make_blackhole(victim.blackhole, victim.netns);
    if (victim.admin.empty()) throw BadInput("--fail needs --admin URL");
    return make_pool_failure(victim.admin, victim.pool, victim.token_file, victim.length);
}

}  // namespace scrollgate::bench
