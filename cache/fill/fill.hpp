// Fill: one response on its way from an origin into the cache, and to all who wait for it.
//
// The leader's worker writes, readers on any worker read along. States, each entered once:
//
//     asking ──> streaming ──> complete      the response may be shared, and is whole
//        │           └───────> abandoned     it broke off, or could not be stored
//        ├─────> private                     it may not be shared: its leader alone reads on,
//        │                                   others go on their own (streaming, then over)
//        ├─────> validated                   the stored response is still good: use entry()
//        └─────> failed                      no response at all: error()
//
// Body bytes are in segments that are only appended to; their published length is an atomic, so
// reading takes no lock. Readers that wait are woken by one post per worker. The writer runs ahead
// of the fastest reader by limits::fill_window at most, or freely when nobody reads (the object is
// still wanted); a private fill, or one that has outgrown max_object, lets go of what its readers
// have read and is paced by the slowest of them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include "cache/entry.hpp"
#include "cache/key.hpp"
#include "cache/store/store.hpp"
#include "core/error.hpp"
#include "core/message.hpp"
#include "core/net/event_loop.hpp"

namespace scrollgate {

class FillReader;

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

    /// For `key`, asked for by a request with these fields (copied: what Vary compares).
    Fill(CacheStore& store, const CacheKey& key, const HeaderList& request);
    ~Fill();

    // -- any thread
    [[nodiscard]] State state() const noexcept;
    [[nodiscard]] std::uint64_t purge_position() const noexcept;
    /// Its response is (or may yet be) one that `request` would choose.
    [[nodiscard]] bool suits(const HeaderList& request) const;

    // -- the writer, on its worker
    /// The head has come, without the fields that are not stored; `vary` are its lines. What
    /// follows may be shared (`shared`) or is the leader's alone, for `reason`. The length of the
    /// body if it is known.
    void head(const ResponseHead& head, std::string_view vary, bool shared, CacheReason reason,
              std::optional<std::uint64_t> length);
    /// A 304 (or an unchanged HEAD): `entry` is the refreshed one.
    void validated(EntryRef entry);
    /// Bytes of the body. False: nobody needs them, the fill may be given up.
    [[nodiscard]] bool append(std::string_view bytes);
    /// From now on it is a stream for those that read it now: it outgrew max_object, or the ledger.
    void outgrow(CacheReason reason);
    /// The writer waits here until it may append more: an awaitable of bool, false = as append().
    [[nodiscard]] auto room(EventLoop& loop);
    /// The body is whole; `entry` is in the store, null if it could not be.
    void complete(EntryRef entry);
    void fail(const Error& error);
};
using FillRef = boost::intrusive_ptr<Fill>;

}  // namespace scrollgate
