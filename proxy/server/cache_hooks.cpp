#include "proxy/server/cache_hooks.hpp"

#include <string>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "proxy/server/worker.hpp"

namespace scrollgate {
namespace {

namespace asio = boost::asio;

WarmEnd in_words(const FillEnd& end) {
    WarmEnd made;
    made.asked = end.asked;
    // What may not be stored is called off when its head has come.
    const bool judged = end.reason != CacheReason::none && end.reason != CacheReason::no_memory &&
                        end.reason != CacheReason::too_many_fills;
    const bool answered = end.outcome == "ok" || judged;
    made.stored = answered && end.reason == CacheReason::none;
    made.fetched = made.stored || (answered && end.status < 500);
    if (!answered)
        made.why = end.outcome;
    else if (!made.fetched)
        made.why = fmt::format("the origin answered {}", end.status);
    else if (!made.stored)
        made.why = sentence(end.reason);
    return made;
}

}  // namespace

CacheDesk::Hooks cache_hooks(asio::io_context& control,
                             const std::vector<std::unique_ptr<Worker>>& workers,
                             std::function<std::shared_ptr<const Snapshot>()> snapshot) {
    CacheDesk::Hooks hooks;
    hooks.snapshot = std::move(snapshot);
    hooks.fetch = [&control, &workers, next = std::size_t{0}](
                      FillOrder order, const WarmJobs::Ended& ended) mutable {
        Worker& worker = *workers[next++ % workers.size()];
        const FillDone done = [&control, ended](const FillEnd& end) {
            asio::post(control, [ended, made = in_words(end)] { ended(made); });
        };
        worker.loop().post(
            [&worker, order = std::move(order), done] { start_fills(worker, order, done); });
    };
    hooks.later = [&control](std::function<void()> call) { asio::post(control, std::move(call)); };
    hooks.alarm = [&control] { return std::make_unique<AsioAlarm>(control); };
    return hooks;
}

}  // namespace scrollgate
