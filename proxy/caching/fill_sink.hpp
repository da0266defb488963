// FillSink: where the answer of a background exchange goes: judged when its head comes, then into
// the Fill, then into the store.
//
// Every fill ends: whole (write() of the end), validated (a 304 about what is stored), or by
// Fill::fail(), which is the task's. One worker; no locks.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include "cache/fill/fill_reader.hpp"
#include "cache/rules/storing.hpp"
#include "core/arena.hpp"
#include "proxy/pipeline/ends.hpp"

namespace scrollgate {

struct Exchange;

/// What only the client of a fill's leader gets of the answer. The fields that are not stored are
/// there before the fill's head, trailers before its end; 1xx heads come when they come.
struct LeadersShare : boost::intrusive_ref_counter<LeadersShare, boost::thread_unsafe_counter> {
    Arena arena;
    HeaderList fields, trailers;
    std::vector<ResponseHead> interims;  ///< not passed on yet; an Attempt bounds their number
    FillReader* waiting = nullptr;       ///< the leader's, which an interim interrupts
};
using LeadersShareRef = boost::intrusive_ptr<LeadersShare>;

class FillSink final : public ResponseSink {
  public:
    /// For the answer to the request of `x`, which is not prepared yet. `known` is what is stored;
    /// it stays when the origin fails if `keeps`. `share` may be null. `unshared` is called when it
    /// turns out, mostly with the head, that nothing of the answer will be stored.
    void start(Exchange& x, FillRef fill, EntryRef known, bool keeps, LeadersShareRef share,
               std::function<void()> unshared);
    /// Why what came is not stored; none: it is.
    [[nodiscard]] CacheReason reason() const noexcept { return reason_; }
    /// A marker was stored: nobody's requests for the key can be shared at present.
    [[nodiscard]] bool remembered() const noexcept { return remembered_; }

    using ResponseSink::head;
    void head(const ResponseHead& head, std::string_view lines) override;
    Task<Result<void>> write(const BodyChunk& chunk) override;
    Task<Result<void>> flush() override { return done(); }
    Task<Result<void>> interim(const ResponseHead& head) override;
    Task<Result<void>> upgrade(const ResponseHead&, std::string_view) override { return done(); }
    void watch() override {}
    void bound(Duration, TimePoint) noexcept override {}
    [[nodiscard]] bool committed() const noexcept override { return committed_; }
    void abort() noexcept override {}

  private:
    [[nodiscard]] static Task<Result<void>> done() {
        return Task<Result<void>>::ready(Result<void>());
    }
    [[nodiscard]] Received received() const;
    [[nodiscard]] CacheReason judge(const ResponseHead& head, Storing& storing, std::string& vary);
    [[nodiscard]] HeaderList fields_to_store(const ResponseHead& head);
    void share_out(const ResponseHead& head, const Storing& storing, std::string_view vary);
    void keep_private(const ResponseHead& head);
    void tell_leader(const ResponseHead& head);
    void pack_body(const ResponseHead& head);
    void take_validation(const ResponseHead& head);
    void remember(Marker kind);
    void end_grace(std::uint16_t status);
    void remember_weakly(std::uint16_t status);
    [[nodiscard]] bool take(std::string_view bytes);
    void finish();
    [[nodiscard]] Task<Result<void>> wait_for_room();
    [[nodiscard]] Task<Result<void>> repeat_stored();

    Exchange* x_ = nullptr;
    FillRef fill_;
    EntryRef known_;
    LeadersShareRef share_;
    std::function<void()> unshared_;
    RequestSays asked_;
    std::string sample_;  ///< the body so far, while it is one to learn from
    CacheReason reason_ = CacheReason::none;
    bool keeps_ = false, committed_ = false, remembered_ = false;
    bool repeats_ = false;  ///< the body is the stored one, for the leader alone
};

}  // namespace scrollgate
