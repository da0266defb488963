// Fill: one response on its way from an origin into the cache, and to all who wait for it.
//
// The leader's worker writes, readers (fill_reader.hpp) on any worker read along. States, each
// entered once:
//
//     asking ──> streaming ──> complete      the response may be shared, and is whole
//        │           └───────> abandoned     it broke off
//        ├─────> private ────> the same two  it may not be shared: its leader alone reads on,
//        │                                   others go on their own; head().shared stays false
//        ├─────> validated                   the stored response is still good: use entry()
//        └─────> failed                      no response at all: error()
//
// Body bytes are in segments that are only appended to; their published length is an atomic, so
// reading takes no lock but from one segment to the next. Readers that wait are woken by one post
// per worker, on their own threads. The writer runs ahead of the fastest reader by
// limits::fill_window at most, or freely when nobody reads (the object is still wanted); a private
// fill, or one that has outgrown max_object or the store, lets go of what its readers have read and
// is paced by the slowest of them; who holds it up for limits::fill_patience in which it goes on by
// less than limits::fill_flow, while others are ahead, is cut off. What is stored in the end is
// packed meanwhile, beside the segments; a private response may be, too, if every later reader has
// to validate it.
//
// Lock order: fill table, fill, store. The store and the loops of writer and readers outlive it.
#pragma once

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include "cache/entry.hpp"
#include "cache/fill/segments.hpp"
#include "cache/freshness.hpp"
#include "cache/key.hpp"
#include "cache/reason.hpp"
#include "cache/store/body.hpp"
#include "cache/store/store.hpp"
#include "core/error.hpp"
#include "core/message.hpp"
#include "core/net/event_loop.hpp"
#include "core/timer_wheel.hpp"

namespace scrollgate {

class Fill;
class FillReader;
using FillRef = boost::intrusive_ptr<Fill>;

/// What is known of a response once its head has come.
struct FillHead {
    ResponseHead response;                   ///< with the fields that its readers are to get
    std::string_view vary;                   ///< lines of append_vary(); empty: no Vary
    Freshness freshness;                     ///< for Age and ttl
    std::optional<std::uint64_t> length;     ///< of the body, if it is known
    bool shared = true;                      ///< false: the leader's alone, stored or not
    CacheReason reason = CacheReason::none;  ///< why it will not be stored; none: it will
};

class Fill : public boost::intrusive_ref_counter<Fill> {
  public:
    enum class State : std::uint8_t {
        asking,
        streaming,
        private_,
        validated,
        complete,
        abandoned,
        failed,
    };

    using Chooses = std::function<bool(std::string_view vary)>;

    /// For `key`, and for those who choose the variant with these Vary lines, as far as that is
    /// known; empty: for all. `closed`: the leader's request is such that its answer is probably
    /// its own, so that nobody waits for it. Notes the store's purge position: make it before the
    /// origin is asked.
    Fill(CacheStore& store, const CacheKey& key, std::string_view variant = {},
         bool closed = false);
    ~Fill();
    Fill(const Fill&) = delete;
    Fill& operator=(const Fill&) = delete;

    // -- any thread
    [[nodiscard]] State state() const noexcept { return state_.load(std::memory_order_acquire); }
    /// Validated, complete, abandoned or failed: nothing more comes.
    [[nodiscard]] bool over() const noexcept { return state() >= State::validated; }
    [[nodiscard]] const CacheKey& key() const noexcept { return key_; }
    /// The Vary lines that are expected; what comes may have others. Empty: nobody knows.
    [[nodiscard]] std::string_view variant() const noexcept { return variant_; }
    /// Nobody is to wait for it.
    [[nodiscard]] bool closed() const noexcept { return closed_; }
    /// For EntryDraft::purge_position.
    [[nodiscard]] std::uint64_t purge_position() const noexcept { return purge_position_; }
    /// Who makes `request` may join: its response may be shared, can still be read from the start,
    /// and is (or, as far as it is known, will be) one that the request would choose, as `chooses`
    /// says of its Vary lines, or else the request's fields as they are.
    [[nodiscard]] bool suits(const HeaderList& request, const Chooses& chooses = {}) const;
    /// The head, whose views live as long as the fill. From streaming or private on.
    [[nodiscard]] const FillHead& head() const noexcept { return head_; }
    /// The entry of validated, or of complete if it could be stored. Null before.
    [[nodiscard]] EntryRef entry() const noexcept { return over() ? entry_ : EntryRef(); }
    /// Of validated: the entry is what the tier had, not what the origin has said now.
    [[nodiscard]] bool from_tier() const noexcept { return from_tier_; }
    /// Why it failed or was abandoned. In these states.
    [[nodiscard]] const Error& error() const noexcept { return error_; }
    /// It has outgrown: what comes will not be stored, for this reason; none: it has not.
    [[nodiscard]] CacheReason outgrown() const noexcept {
        return outgrown_.load(std::memory_order_acquire);
    }
    /// Body bytes that can be read by now; of all, once it is complete.
    [[nodiscard]] std::uint64_t length() const noexcept {
        return length_.load(std::memory_order_acquire);
    }
    /// Readers that wait for the head or for bytes now.
    [[nodiscard]] std::size_t waiting() const;

    // -- the writer, on its worker
    /// Where it writes; before anything else. Readers of this loop are woken without a post.
    void begin(EventLoop& loop) noexcept;
    /// The head has come; everything that `head` views is copied.
    void head(const FillHead& head);
    /// The body is to be stored: `packer` keeps it, too, until it outgrows. After head(), before
    /// append().
    void pack(std::unique_ptr<BodyPacker> packer) noexcept;
    /// A 304 (or an unchanged HEAD): `entry` is the refreshed one. Instead of head().
    void validated(EntryRef entry);
    /// `entry`, which the tier behind the store has given, is there now. Instead of head(), and
    /// before the origin is asked. Readers are told "validated", but judge it for themselves.
    void found(EntryRef entry);
    /// Bytes of the body; wait in room() before. False: nobody needs them, the fill may be given up
    /// (it stays to be ended by fail()). If the store has no room, it outgrows by itself.
    [[nodiscard]] bool append(std::string_view bytes);
    /// From now on it is a stream for those that read it now: it outgrew max_object, or the store.
    void outgrow(CacheReason reason);
    /// Awaitable of bool: waits until the writer may append more. False: as append(), or give_up().
    [[nodiscard]] auto room() noexcept {
        struct Awaiter {
            Fill& fill;
            bool await_ready() const { return fill.room_now(); }
            bool await_suspend(std::coroutine_handle<> h) const { return fill.wait_for_room(h); }
            bool await_resume() const {
                fill.waited();
                return fill.needed();
            }
        };
        return Awaiter{*this};
    }
    /// A room() that waits ends soon, and from now on it gives false: the writer is called off.
    void give_up();
    /// The packed body, once, when all bytes have come; null if it outgrew or nothing was packed.
    /// It is no longer charged to the fill: insert it into the store next.
    [[nodiscard]] BodyRef take_body();
    /// The body is whole; `entry` is in the store, null if it could not be.
    void complete(EntryRef entry);
    /// There is no response (failed), or it broke off (abandoned). Nothing if it is over already.
    void fail(const Error& error);

  private:
    friend class FillReader;

    /// The writer has waited long enough for the slowest. On its loop.
    class Patience final : public TimerWheel::Timer {
      public:
        explicit Patience(Fill& fill) noexcept : fill_(fill) {}

      private:
        void expired() noexcept override { fill_.end_patience(); }

        Fill& fill_;
    };

    /// Those of one worker that wait: a list through FillReader::next_.
    struct Queue {
        EventLoop* loop = nullptr;
        FillReader* first = nullptr;
        bool posted = false;  ///< somebody is on the way to wake them
    };

    // For readers; each takes the lock if it needs it. `here` is the loop of the calling thread.
    [[nodiscard]] bool enter();  ///< false: the beginning is gone
    /// The first segment, with the reader counted in it; null: the reader was cut off.
    [[nodiscard]] FillSegment* start();
    /// The same for the one behind `from`.
    [[nodiscard]] FillSegment* step(FillSegment* from, const EventLoop& here);
    void leave(FillSegment* at, const EventLoop& here);
    void read_up_to(std::uint64_t position, const EventLoop& here);
    [[nodiscard]] bool enqueue(FillReader& reader);  ///< false: what it waits for is there
    void dequeue(FillReader& reader);

    // Under mutex_.
    [[nodiscard]] bool needed_locked() const noexcept;
    [[nodiscard]] bool blocked() const noexcept;
    void wake_writer(const EventLoop& here);
    void wake_readers();
    [[nodiscard]] Queue& queue_of(EventLoop& loop);
    void resume_ready(Queue& queue);
    void unlink(Queue& queue, FillReader& reader) noexcept;

    void hold(TimePoint now) noexcept;
    void waited() noexcept;
    void cut_off_slowest() noexcept;

    // These take it.
    void end_patience();
    void let_go(const EventLoop& here);
    void wake(EventLoop& loop);
    void resume_writer();
    void end(State state);
    [[nodiscard]] bool needed();
    [[nodiscard]] bool room_now();
    [[nodiscard]] bool wait_for_room(std::coroutine_handle<> writer);

    // The writer's own.
    void copy_head(const FillHead& head);
    [[nodiscard]] FillSegment* segments_for(std::uint64_t begin, std::string_view bytes,
                                            bool& poor);
    void keep(std::string_view bytes);
    void drop_packer() noexcept;
    void let_purges_go() noexcept;

    CacheStore& store_;
    const CacheKey key_;
    const std::string variant_;
    const bool closed_;
    const std::uint64_t purge_position_;

    std::atomic<State> state_ = State::asking;
    std::atomic<CacheReason> outgrown_ = CacheReason::none;
    std::atomic<std::uint64_t> length_ = 0;
    std::atomic<bool> dropping_ = false;      ///< what has been read is let go of
    std::atomic<std::uint64_t> fastest_ = 0;  ///< furthest position of any reader, gone or not
    std::atomic<std::uint64_t> wanted_;       ///< a reader that gets there wakes the writer

    // Written once, before the state that says so.
    FillHead head_;
    std::string text_;  ///< what head_ views
    EntryRef entry_;
    bool from_tier_ = false;
    Error error_;

    mutable std::mutex mutex_;
    FillSegments segments_;      ///< see there
    std::vector<Queue> queues_;  ///< from here on, under mutex_
    std::size_t waiting_ = 0;    ///< in the queues
    std::size_t readers_ = 0;
    std::size_t unstarted_ = 0;       ///< readers that still need the first segment
    std::coroutine_handle<> writer_;  ///< waits for room
    bool packing_ = false;            ///< the store wants it
    bool writer_posted_ = false;      ///< somebody is on the way to wake it
    bool given_up_ = false;
    bool start_gone_ = false;  ///< who had not begun to read was cut off
    bool poor_ = false;        ///< the store had no room for the last segment

    // The writer's own.
    EventLoop* loop_ = nullptr;
    std::unique_ptr<BodyPacker> packer_;
    std::size_t packed_ = 0;  ///< bytes reserved for packer_
    bool compares_ = true;    ///< the store keeps purges for it
    Patience patience_{*this};
    TimePoint holding_ = never;    ///< since when it waits for its slowest readers; never: not now
    Duration held_{};              ///< so long it has waited for them…
    std::uint64_t held_from_ = 0;  ///< …since it had come so far
};

}  // namespace scrollgate
