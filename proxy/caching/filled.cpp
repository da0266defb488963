#include "proxy/caching/filled.hpp"

#include "cache/rules/conditional.hpp"
#include "proxy/caching/answer.hpp"
#include "proxy/caching/cache_status.hpp"
#include "proxy/caching/explain_fields.hpp"
#include "proxy/caching/fill_body.hpp"
#include "proxy/caching/partial.hpp"
#include "proxy/pipeline/prepare.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {
namespace {

/// What is purged by now stays so: it will not be stored.
void note(Exchange& x, const Fill& fill, bool leads) {
    const FillHead& from = fill.head();
    CacheDecision& decision = x.cache;
    decision.entry.reset();
    decision.storing = from.reason;
    decision.stored = leads && from.shared && from.reason == CacheReason::none &&
                      !x.worker.cache().store.overtaken(fill.key().text, fill.purge_position());
}

/// x.response with the fields that came; those that are stored, and the leader's own.
void take_head(Exchange& x, const FillHead& from, const LeadersShare* share) {
    ResponseHead& head = x.response;
    head = from.response;
    head.body = {BodyFraming::Kind::chunked, 0};
    if (from.length) head.body = {BodyFraming::Kind::length, *from.length};
    if (share != nullptr) {
        for (const HeaderField& field : share->fields)
            head.fields.add(field.name, field.value, field.id);
    }
    const std::int64_t age = from.freshness.age(x.worker.loop().now());
    if (from.shared && age > 0) add_age(x, head.fields, age);
}

/// The client asked for less than the whole (the fill never does). True: no body is to be sent.
bool is_known_to_client(Exchange& x) {
    if (x.response.status != 200) return false;
    const Condition condition =
        judge_condition(x.request.fields, x.response.fields, wall_seconds(x));
    if (condition != Condition::not_modified) return false;
    make_not_modified(x.response);
    return true;
}

void narrow(Exchange& x, const FillHead& from, FillBody& body) {
    if (x.response.status != 200 || !from.shared || !from.length) return;
    const Ranges ranges = judge_range(x.request, x.response.fields, *from.length, wall_seconds(x));
    if (ranges.kind != Ranges::Kind::partial || ranges.ranges.size() != 1) return;
    body.only(ranges.ranges.front());
    make_partial(x, ranges.ranges.front(), *from.length);
}

}  // namespace

Task<Result<void>> answer_filled(Exchange& x, Reading& reading, const LeadersShare* share) {
    const FillHead& from = reading.fill().head();
    note(x, reading.fill(), share != nullptr);
    take_head(x, from, share);
    x.record.first_byte = x.worker.loop().now() - x.record.started;
    FillBody body(reading.reader(), x.until, share == nullptr ? nullptr : &share->trailers);
    const bool bodiless = is_known_to_client(x) || x.request.method == Method::head;
    if (!bodiless) narrow(x, from, body);
    x.cache.coming = &from;
    add_cache_status(x, x.response.fields);
    prepare_response(x);
    explain_answer(x, x.response.fields);
    x.cache.coming = nullptr;
    if (bodiless) {
        const boost::intrusive_ptr<const Fill> kept(&reading.fill());  // x.response views its head
        reading.end();
        co_return co_await send_head(x, {});
    }
    co_return co_await send_answer(x, body, {});
}

}  // namespace scrollgate
