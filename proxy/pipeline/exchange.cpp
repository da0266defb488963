#include "proxy/pipeline/exchange.hpp"

#include "cache/fill/fill_reader.hpp"

namespace scrollgate {

void Exchange::reset() noexcept {
    snapshot.reset();
    client = nullptr;
    request.clear();
    body = nullptr;
    sink = nullptr;
    pipelined = upgrade = must_upgrade = expects_continue = grpc = explained = false;
    route = nullptr;
    path = target = upgrade_protocol = {};
    arena.clear();
    response.clear();
    until = answer_until = never;
    sent = turned_away = 0;
    tried.clear();
    avoid.clear();
    affinity = {};
    held.clear();
    upstreams.clear();
    replay.reset();
    waiting = nullptr;
    cancelled.reset();
    cache.reset();
    reading = nullptr;
    record = {};
    detail = "";
}

void Exchange::cancel(ErrorKind why) noexcept {
    if (!cancelled) cancelled = why;
    for (CallOff* const upstream : upstreams)
        upstream->fail(*cancelled);
    if (waiting != nullptr) waiting->shut();
    if (reading != nullptr) reading->interrupt();
}

}  // namespace scrollgate
