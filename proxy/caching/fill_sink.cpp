#include "proxy/caching/fill_sink.hpp"

#include <utility>

#include "cache/rules/conditional.hpp"
#include "cache/rules/vary.hpp"
#include "core/field_copy.hpp"
#include "core/limits.hpp"
#include "proxy/caching/entry_body.hpp"
#include "proxy/caching/storing.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {
namespace {

std::optional<std::uint64_t> length_of(const ResponseHead& head) noexcept {
    if (head.body.kind == BodyFraming::Kind::length) return head.body.length;
    if (head.body.kind == BodyFraming::Kind::none) return 0;
    return std::nullopt;
}

CacheStore& store_of(Exchange& x) noexcept {
    return x.worker.cache().store;
}

}  // namespace

void FillSink::start(Exchange& x, FillRef fill, EntryRef known, bool keeps, LeadersShareRef share,
                     std::function<void()> unshared) {
    x_ = &x;
    unshared_ = std::move(unshared);
    fill_ = std::move(fill);
    known_ = std::move(known);
    keeps_ = keeps;
    share_ = std::move(share);
    asked_ = x.request;
}

Received FillSink::received() const {
    const EventLoop& loop = x_->worker.loop();
    return {x_->record.started, loop.now(), loop.clock().wall()};
}

// ---- the head

// A copy: the leader's client takes it at its own pace, and holds up nobody else.
Task<Result<void>> FillSink::interim(const ResponseHead& head) {
    if (!share_) return done();
    ResponseHead& copy = share_->interims.emplace_back();
    copy.status = head.status;
    copy.version = head.version;
    for (const HeaderField& field : head.fields)
        copy_field(field, share_->arena, copy.fields);
    if (share_->waiting != nullptr) share_->waiting->interrupt();
    return done();
}

void FillSink::head(const ResponseHead& head, std::string_view) {
    committed_ = true;
    if (head.status == 304) return take_validation(head);
    Storing storing;
    std::string vary;
    reason_ = judge(head, storing, vary);
    if (reason_ == CacheReason::none) {
        share_out(head, storing, vary);
    } else {
        keep_private(head);
    }
}

CacheReason FillSink::judge(const ResponseHead& head, Storing& storing, std::string& vary) {
    storing = judge_storing(asked_, head, *x_->route->cache, received());
    if (storing.reason != CacheReason::none) return storing.reason;
    if (keeps_ && known_ && is_origin_failure(head.status)) return CacheReason::status;
    const CacheReason size = judge_size(head, x_->config().cache.max_object);
    if (size != CacheReason::none) return size;
    return append_vary(vary, head.fields, x_->request.fields);
}

void FillSink::share_out(const ResponseHead& head, const Storing& storing, std::string_view vary) {
    FillHead made;
    made.response.status = head.status;
    made.response.version = head.version;
    made.response.reason = head.reason;
    made.vary = vary;
    made.freshness = storing.freshness;
    made.length = length_of(head);
    made.response.fields = fields_to_store(head);
    fill_->head(made);
    pack_body(head);
}

/// The others are the leader's.
HeaderList FillSink::fields_to_store(const ResponseHead& head) {
    HeaderList others;
    HeaderList stored = stored_fields(head.fields, *x_->route->cache, share_ ? &others : nullptr);
    for (const HeaderField& field : others) {
        if (field.id != Field::age) copy_field(field, share_->arena, share_->fields);
    }
    return stored;
}

void FillSink::pack_body(const ResponseHead& head) {
    const DictionaryTrainer& trainer = store_of(*x_).trainer(x_->route->cache->partition);
    fill_->pack(std::make_unique<BodyPacker>(
        x_->config().cache.compression, head.fields.value(Field::content_type),
        head.fields.value(Field::content_encoding), trainer.current()));
}

// The mark is there before anybody is sent away.
void FillSink::keep_private(const ResponseHead& head) {
    switch (scrollgate::remembered(reason_, head.status)) {
        case Remembered::yes:
            remember(reason_ == CacheReason::too_large ? Marker::firm : Marker::strong);
            break;
        case Remembered::weakly:
            end_grace(head.status);
            remember_weakly(head.status);
            break;
        case Remembered::no:
            break;
    }
    tell_leader(head);
}

void FillSink::tell_leader(const ResponseHead& head) {
    x_->worker.cache().fills.leave(*fill_);
    FillHead made;
    made.response = head;
    made.length = length_of(head);
    made.shared = false;
    made.reason = reason_;
    fill_->head(made);
    unshared_();
}

void FillSink::remember(Marker kind) {
    remembered_ = true;
    store_marker(store_of(*x_), fill_->key(), x_->request.fields, kind, fill_->purge_position(),
                 x_->worker.loop().now());
}

// What the origin has withdrawn is not used on, stale, as if it were there. That it is gone is the
// end of it; a refusal may be for this request alone, so that the next one asks. What is fresh
// stays so, whatever one client's own fields have provoked.
void FillSink::end_grace(std::uint16_t status) {
    if (!known_ || known_->is_marker() || known_->by_hand()) return;
    if (known_->freshness().ttl(x_->worker.loop().now()) > 0) return;
    if (status == 404 || status == 410) {
        // Nor is it to come back from the tier.
        remembered_ = store_of(*x_).remove(*known_);
    } else {
        known_->mark_softly_purged();
    }
}

// Where nobody has waited in vain there is nobody to be spared it, nor a marker for each 404.
void FillSink::remember_weakly(std::uint16_t status) {
    const std::size_t leader = share_ ? 1 : 0;
    if (fill_->waiting() <= leader) return;
    store_weak_marker(store_of(*x_), fill_->key(), x_->request.fields, status,
                      fill_->purge_position(), x_->worker.loop().now());
}

// One that is not about what is stored sends all who wait to ask for themselves. One that is, but
// says what is not to be stored (a cookie, no-store), is its leader's alone, with the stored body.
void FillSink::take_validation(const ResponseHead& head) {
    if (!known_ || known_->is_marker()) {
        reason_ = CacheReason::malformed;
        return fill_->fail(Error{ErrorKind::upstream_malformed});
    }
    HeaderList before;
    known_->fields(before);
    ResponseHead fresh;
    fresh.status = known_->status();
    fresh.fields = updated(before, head.fields);
    Storing storing;
    std::string vary;
    const bool about_it = validates(before, head.fields);
    reason_ = about_it ? judge(fresh, storing, vary) : CacheReason::malformed;
    CacheStore::Inserted inserted;
    if (reason_ == CacheReason::none) {
        const HeaderList fields = fields_to_store(fresh);
        inserted = store_refreshed(store_of(*x_), *known_, fields, vary, storing.freshness,
                                   fill_->purge_position());
        reason_ = inserted.reason;
    }
    if (inserted.entry) return fill_->validated(std::move(inserted.entry));
    const bool over = scrollgate::remembered(reason_, fresh.status) == Remembered::yes &&
                      reason_ != CacheReason::set_cookie;
    if (!about_it || over) static_cast<void>(store_of(*x_).remove(*known_));
    if (!about_it) return fill_->fail(Error{ErrorKind::cancelled});
    fresh.body = {BodyFraming::Kind::length, known_->body().size()};
    if (share_) share_->fields.clear();  // all of it is the leader's
    tell_leader(fresh);
    repeats_ = true;
}

// ---- the body

Task<Result<void>> FillSink::write(const BodyChunk& chunk) {
    using Done = Task<Result<void>>;
    if (repeats_) return repeat_stored();
    if (fill_->over()) return done();  // a 304
    if (!chunk.data.empty() && !take(chunk.data)) {
        return Done::ready(Result<void>(Error{ErrorKind::cancelled}));
    }
    if (!chunk.end) return wait_for_room();
    if (share_ && chunk.trailers != nullptr) {
        for (const HeaderField& field : *chunk.trailers)
            copy_field(field, share_->arena, share_->trailers);
    }
    finish();
    return done();
}

bool FillSink::take(std::string_view bytes) {
    if (!fill_->append(bytes)) return false;
    const bool kept = fill_->head().shared && fill_->outgrown() == CacheReason::none;
    if (kept && fill_->length() > x_->config().cache.max_object) {
        fill_->outgrow(CacheReason::too_large);
        remember(Marker::firm);
        unshared_();
    } else if (kept && fill_->length() <= limits::dictionary_object) {
        sample_.append(bytes);
    }
    return true;
}

Task<Result<void>> FillSink::wait_for_room() {
    const bool needed = co_await fill_->room();
    if (!needed) co_return Error{ErrorKind::cancelled};
    co_return Result<void>();
}

Task<Result<void>> FillSink::repeat_stored() {
    EntryBody body(known_->body());
    if (!body.lease(x_->worker.loop())) {
        fill_->fail(Error{ErrorKind::overloaded});
        co_return Result<void>();
    }
    for (;;) {
        const BodyChunk chunk = body.next();
        const bool taken = chunk.data.empty() || fill_->append(chunk.data);
        if (!taken) co_return Error{ErrorKind::cancelled};
        if (chunk.end) break;
        const bool needed = co_await fill_->room();
        if (!needed) co_return Error{ErrorKind::cancelled};
    }
    fill_->complete(nullptr);
    co_return Result<void>();
}

void FillSink::finish() {
    if (!fill_->head().shared) return fill_->complete(nullptr);
    reason_ = fill_->outgrown();
    BodyRef body = fill_->take_body();
    if (!body) return fill_->complete(nullptr);
    if (!sample_.empty() && sample_.size() == fill_->length()) {
        store_of(*x_).trainer(x_->route->cache->partition).learn(sample_);
    }
    CacheStore::Inserted inserted = store_filled(store_of(*x_), *fill_, std::move(body));
    reason_ = inserted.reason;
    fill_->complete(std::move(inserted.entry));
}

}  // namespace scrollgate
