#include "cache/fill/fill.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "cache/fill/fill_reader.hpp"
#include "cache/rules/vary.hpp"
#include "core/limits.hpp"

namespace scrollgate {

Fill::Fill(CacheStore& store, const CacheKey& key, std::string_view variant, bool closed)
    : store_(store),
      key_(key),
      variant_(variant),
      closed_(closed),
      purge_position_(store.purge_position()),
      wanted_(limits::unlimited),
      segments_(store) {
    store_.fill_began(purge_position_);
}

Fill::~Fill() {
    drop_packer();
    let_purges_go();
}

void Fill::let_purges_go() noexcept {
    if (std::exchange(compares_, false)) store_.fill_ended(purge_position_);
}

bool Fill::suits(const HeaderList& request, const Chooses& chooses) const {
    const auto suits_lines = [&](std::string_view lines) {
        return chooses ? chooses(lines) : vary_matches(lines, request);
    };
    switch (state()) {
        case State::asking:
            return suits_lines(variant_);
        case State::streaming:
            return !dropping_.load() && suits_lines(head_.vary);
        default:
            return false;
    }
}

std::size_t Fill::waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_;
}

// ---- what the writer says

void Fill::begin(EventLoop& loop) noexcept {
    const std::lock_guard lock(mutex_);
    loop_ = &loop;
}

void Fill::head(const FillHead& head) {
    assert(state() == State::asking && loop_ != nullptr);
    copy_head(head);
    const std::lock_guard lock(mutex_);
    if (!head.shared) dropping_.store(true);
    state_.store(head.shared ? State::streaming : State::private_, std::memory_order_release);
    wake_readers();
}

// One text for all of it, made large enough before the first view into it.
void Fill::copy_head(const FillHead& head) {
    std::size_t size = head.response.reason.size() + head.vary.size();
    for (const HeaderField& field : head.response.fields)
        size += field.name.size() + field.value.size();
    text_.reserve(size);
    const auto copy = [this](std::string_view part) {
        const std::size_t at = text_.size();
        text_.append(part);
        return std::string_view(text_).substr(at);
    };
    head_ = head;
    head_.response.reason = copy(head.response.reason);
    head_.vary = copy(head.vary);
    head_.response.fields.clear();
    for (const HeaderField& field : head.response.fields) {
        const std::string_view name = copy(field.name);
        head_.response.fields.add(name, copy(field.value), field.id);
    }
}

void Fill::pack(std::unique_ptr<BodyPacker> packer) noexcept {
    packer_ = std::move(packer);
    const std::lock_guard lock(mutex_);
    packing_ = true;
}

bool Fill::append(std::string_view bytes) {
    if (packer_ != nullptr) keep(bytes);
    if (!needed()) return false;
    const std::uint64_t begin = length_.load(std::memory_order_relaxed);
    const std::size_t copied = segments_.fill_last(begin, bytes);
    bool poor = false;
    FillSegment* const more = segments_for(begin + copied, bytes.substr(copied), poor);
    if (poor) outgrow(CacheReason::no_memory);
    {
        const std::lock_guard lock(mutex_);
        if (more != nullptr) {
            segments_.link(more);
            poor_ = poor;
        }
        length_.store(begin + bytes.size(), std::memory_order_release);
        wake_readers();
    }
    if (dropping_.load()) let_go(*loop_);
    return true;
}

// New segments that hold `bytes`; `poor` if one of them could not be charged.
FillSegment* Fill::segments_for(std::uint64_t begin, std::string_view bytes, bool& poor) {
    FillSegment* first = nullptr;
    FillSegment* last = nullptr;
    while (!bytes.empty()) {
        std::size_t capacity = limits::cache_block;
        if (begin == 0) capacity = std::clamp(bytes.size(), limits::fill_first, capacity);
        if (head_.length && *head_.length > begin) {
            capacity = static_cast<std::size_t>(
                std::min<std::uint64_t>(*head_.length - begin, limits::cache_block));
        }
        FillSegment* const segment = segments_.make(begin, capacity);
        poor = poor || segment->charge == 0;
        const std::size_t count = bytes.copy(segment->data(), capacity);
        bytes.remove_prefix(count);
        begin += count;
        (last == nullptr ? first : last->next) = segment;
        last = segment;
    }
    return first;
}

void Fill::keep(std::string_view bytes) {
    packer_->append(bytes);
    const std::size_t now = packer_->charged();
    if (now > packed_ && !store_.reserve(now - packed_)) {
        outgrow(CacheReason::no_memory);
        return;
    }
    if (now < packed_) store_.release(packed_ - now);
    packed_ = now;
}

void Fill::drop_packer() noexcept {
    packer_.reset();
    if (packed_ > 0) store_.release(std::exchange(packed_, 0));
    const std::lock_guard lock(mutex_);
    packing_ = false;
}

BodyRef Fill::take_body() {
    if (packer_ == nullptr) return {};
    BodyRef body = packer_->finish();
    drop_packer();
    return body;
}

void Fill::outgrow(CacheReason reason) {
    if (state() == State::asking || over() || outgrown() != CacheReason::none) return;
    drop_packer();
    let_purges_go();  // nothing will be stored, and its readers may be slow
    outgrown_.store(reason, std::memory_order_release);
    dropping_.store(true);
    let_go(*loop_);
}

void Fill::validated(EntryRef entry) {
    entry_ = std::move(entry);
    end(State::validated);
}

void Fill::found(EntryRef entry) {
    from_tier_ = true;
    validated(std::move(entry));
}

void Fill::complete(EntryRef entry) {
    entry_ = std::move(entry);
    end(State::complete);
}

void Fill::fail(const Error& error) {
    const State before = state();
    if (before >= State::validated) return;
    error_ = error;
    end(before == State::asking ? State::failed : State::abandoned);
}

void Fill::end(State state) {
    assert(!over());
    drop_packer();
    {
        const std::lock_guard lock(mutex_);
        dropping_.store(true);
        state_.store(state, std::memory_order_release);
        wake_readers();
    }
    let_purges_go();
    let_go(*loop_);
}

// ---- the writer waits

bool Fill::needed_locked() const noexcept {
    return !given_up_ && (readers_ > 0 || packing_ || !dropping_.load());
}

bool Fill::needed() {
    const std::lock_guard lock(mutex_);
    return needed_locked();
}

// It has to wait: it is needed, and too far ahead.
bool Fill::blocked() const noexcept {
    if (readers_ == 0 || !needed_locked()) return false;
    if (dropping_.load()) return segments_.behind() >= (poor_ ? 1 : limits::fill_flow);
    return length() - fastest_.load() >= limits::fill_window;
}

bool Fill::room_now() {
    const std::lock_guard lock(mutex_);
    return !blocked();
}

// A reader moves and then looks at `wanted_`; we say what is wanted and then look where it is. One
// of the two sees the other.
bool Fill::wait_for_room(std::coroutine_handle<> writer) {
    const std::lock_guard lock(mutex_);
    if (!blocked()) return false;
    if (!dropping_.load()) wanted_.store(length() - limits::fill_window + 1);
    if (!blocked()) {
        wanted_.store(limits::unlimited);
        return false;
    }
    writer_ = writer;
    if (dropping_.load()) hold(loop_->now());
    return true;
}

void Fill::hold(TimePoint now) noexcept {
    holding_ = now;
    loop_->arm(patience_, now + (limits::fill_patience - held_));
}

// Waits add up until the writer has come far enough: who takes a little now and then holds it up
// as much as who takes nothing.
void Fill::waited() noexcept {
    if (holding_ == never) return;
    patience_.disarm();
    held_ += loop_->now() - std::exchange(holding_, never);
    if (length() - held_from_ < limits::fill_flow && held_ < limits::fill_patience) return;
    held_ = {};
    held_from_ = length();
}

void Fill::end_patience() {
    {
        const std::lock_guard lock(mutex_);
        if (!writer_) return;
        cut_off_slowest();
        held_ = {};
        held_from_ = length();
        holding_ = never;
        if (blocked()) hold(loop_->now());
    }
    let_go(*loop_);
}

// Those in the first segments, and those that have not begun, as long as somebody is ahead of them.
// What they look into stays until they look at it no more: a segment for each at most.
void Fill::cut_off_slowest() noexcept {
    while (blocked() && segments_.is_read_beyond_front()) {
        start_gone_ = true;
        if (segments_.front()->readers.load() == 0) return;  // let_go() takes it
        segments_.cut_front();
    }
}

void Fill::wake_writer(const EventLoop& here) {
    if (!writer_ || writer_posted_ || blocked()) return;
    wanted_.store(limits::unlimited);
    if (&here == loop_) {
        loop_->resume_later(std::exchange(writer_, {}));
        return;
    }
    writer_posted_ = true;
    loop_->post([self = FillRef(this)] { self->resume_writer(); });
}

void Fill::resume_writer() {
    const std::lock_guard lock(mutex_);
    writer_posted_ = false;
    if (writer_) loop_->resume_later(std::exchange(writer_, {}));
}

void Fill::give_up() {
    const std::lock_guard lock(mutex_);
    given_up_ = true;
    wake_writer(*loop_);
}

// ---- readers come, wait, move and go

bool Fill::enter() {
    const std::lock_guard lock(mutex_);
    const FillSegment* const front = segments_.front();
    if (start_gone_ || (front == nullptr ? length() > 0 : front->begin > 0)) return false;
    ++readers_;
    ++unstarted_;
    return true;
}

FillSegment* Fill::start() {
    const std::lock_guard lock(mutex_);
    if (start_gone_) return nullptr;
    --unstarted_;
    segments_.front()->readers.fetch_add(1);
    return segments_.front();
}

FillSegment* Fill::step(FillSegment* from, const EventLoop& here) {
    FillSegment* to = nullptr;
    {
        const std::lock_guard lock(mutex_);
        if (from->cut.load()) return nullptr;
        to = from->next;
        to->readers.fetch_add(1);
        from->readers.fetch_sub(1);
    }
    if (dropping_.load()) let_go(here);
    return to;
}

void Fill::leave(FillSegment* at, const EventLoop& here) {
    FillSegment* cut = nullptr;
    {
        const std::lock_guard lock(mutex_);
        --readers_;
        if (at == nullptr) {
            --unstarted_;
        } else if (at->readers.fetch_sub(1) == 1 && at->cut.load()) {
            cut = segments_.take_cut(at);
        }
    }
    segments_.free(cut);
    let_go(here);
}

void Fill::read_up_to(std::uint64_t position, const EventLoop& here) {
    std::uint64_t fastest = fastest_.load();
    while (fastest < position && !fastest_.compare_exchange_weak(fastest, position)) {
    }
    if (position < wanted_.load()) return;
    const std::lock_guard lock(mutex_);
    wake_writer(here);
}

// What nobody needs goes, and the writer goes on if it waited for that.
void Fill::let_go(const EventLoop& here) {
    FillSegment* unread = nullptr;
    {
        const std::lock_guard lock(mutex_);
        if (dropping_.load() && (unstarted_ == 0 || start_gone_))
            unread = segments_.take_unread(over());
        wake_writer(here);
    }
    segments_.free(unread);
}

Fill::Queue& Fill::queue_of(EventLoop& loop) {
    for (Queue& queue : queues_)
        if (queue.loop == &loop) return queue;
    return queues_.emplace_back(Queue{&loop});
}

bool Fill::enqueue(FillReader& reader) {
    const std::lock_guard lock(mutex_);
    if (reader.satisfied(reader.what_)) return false;
    Queue& queue = queue_of(reader.loop_);
    reader.previous_ = nullptr;
    reader.next_ = std::exchange(queue.first, &reader);
    if (reader.next_ != nullptr) reader.next_->previous_ = &reader;
    ++waiting_;
    return true;
}

void Fill::dequeue(FillReader& reader) {
    const std::lock_guard lock(mutex_);
    unlink(queue_of(reader.loop_), reader);
}

void Fill::unlink(Queue& queue, FillReader& reader) noexcept {
    (reader.previous_ == nullptr ? queue.first : reader.previous_->next_) = reader.next_;
    if (reader.next_ != nullptr) reader.next_->previous_ = reader.previous_;
    --waiting_;
}

void Fill::wake_readers() {
    for (Queue& queue : queues_) {
        if (queue.first == nullptr || queue.posted) continue;
        if (queue.loop == loop_) {
            resume_ready(queue);
            continue;
        }
        queue.posted = true;
        queue.loop->post([self = FillRef(this), loop = queue.loop] { self->wake(*loop); });
    }
}

void Fill::wake(EventLoop& loop) {
    const std::lock_guard lock(mutex_);
    Queue& queue = queue_of(loop);
    queue.posted = false;
    resume_ready(queue);
}

// Whoever began to wait after what the post was for stays.
void Fill::resume_ready(Queue& queue) {
    for (FillReader* reader = queue.first; reader != nullptr;) {
        FillReader* const next = reader->next_;
        if (reader->satisfied(reader->what_)) {
            unlink(queue, *reader);
            reader->go_on();
        }
        reader = next;
    }
}

}  // namespace scrollgate
