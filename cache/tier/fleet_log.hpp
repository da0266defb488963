// FleetLog: the purges of a fleet, in a stream of Redis that every node follows (decision 24).
//
// What a node purges it writes there; what stands there it makes in its own store, in the log's
// order, and says so in a second stream, by which nodes know of each other. The reader waits in a
// blocking XREAD over both. A node that was away goes on where it was. If its place is gone, the
// log was cut off or lost: it begins anew, so that nothing that was written to the tier before
// counts, and, if purges may have passed by, what is in memory goes, too.
//
// Redis may lose what it has confirmed. So whoever reads that the log begins anew, or does not read
// back what it has said, says it again; and each record, and each node, tells up to where the log
// was known to them: who has read all there is and has not come so far has missed what is gone,
// and purges its memory.
//
// All of it on one loop's thread, but for the Positions that it keeps. Destroyed after its clients,
// and when nothing of theirs is under way.
#pragma once

#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cache/redis/client.hpp"
#include "cache/tier/log_record.hpp"
#include "cache/tier/remote_log.hpp"
#include "cache/tier/tier.hpp"
#include "core/timer_wheel.hpp"

namespace scrollgate::tier {

class FleetLog final : private TimerWheel::Timer {
  public:
    struct Around {
        EventLoop& loop;
        redis::Client& reader;  ///< for blocking reads, its own
        redis::Client& writer;
        TierState& state;
        std::string node;                ///< this one's name, unlike all others
        std::function<void()> purged;    ///< purges were made in the store: it is to be swept
        std::vector<RemoteLog*> others;  ///< of other clouds, which are told, too
    };
    struct Made {
        std::size_t nodes = 1;      ///< have made the purge, this one included
        std::uint64_t objects = 0;  ///< that it covered in the memories of the others
    };
    using Done = std::function<void(const Made& made)>;

    explicit FleetLog(Around around);
    ~FleetLog() override = default;

    void start();
    /// Before the clients are destroyed.
    void stop() noexcept;

    /// A purge that the store has made is to be written. `since` is Positions::own_began(), called
    /// before it was made. `done` is called when all living nodes have made it and counted what it
    /// covered, or after limits::tier_confirm (tier_count for those that are counting); it may be
    /// null.
    void say(Purge purge, std::uint64_t since, Done done);
    /// A purge of another cloud: it is brought into this fleet's log, unless it is there, and made
    /// when the log tells it; at once where that cannot be.
    void bring(const LogRecord& record);

    /// To be taught to `writer` before it starts.
    [[nodiscard]] static const redis::Script& reclaim_script();

  private:
    struct Own {
        LogRecord record;
        Done done;
        TimePoint until;  ///< then it is called, whatever has become of the record
    };
    /// One that this node has said, or is to say, and the log has not told back. What own_ended()
    /// wants is here alone.
    struct Untold {
        std::uint64_t since = 0;
        Position said = 0;  ///< 0: not yet, or to be said again
        TimePoint when{};   ///< it was said
        bool made = true;   ///< false: another cloud's, to be made when the log tells it
        std::optional<std::uint64_t> brought{};  ///< another cloud's, made; its number in the store
    };
    using UntoldByToken = std::unordered_map<std::string, Untold>;
    enum class Again : std::uint8_t { all, untold };
    /// `record.position`: where it was put.
    struct Said {
        LogRecord record;
        TimePoint when;
    };
    /// One of its own of which the other clouds have not been told.
    struct Telling {
        LogRecord record;
        TimePoint since;
    };
    struct Waiter {
        TimePoint until;
        Done done;
        bool counted;  ///< its record asks the others for it
        std::map<std::string, std::uint64_t, std::less<>> covered;  ///< by the nodes' names
    };
    struct Node {
        Position followed = 0;
        std::int64_t heard_ms = 0;   ///< by Redis's clock
        std::deque<Covered> others;  ///< of purges that nobody waited for when it was heard
    };
    /// A purge of others that this node has made, and is to count.
    struct Counting {
        Position purge;
        std::uint64_t number;  ///< in the store
    };
    using Answer = Result<redis::Reply>;

    void expired() noexcept override;
    void wake_in(Duration span);

    // -- fleet_log.cpp: following
    [[nodiscard]] Task<void> follow();
    [[nodiscard]] Task<bool> catch_up();
    [[nodiscard]] Task<bool> find_place(LogRecord first);
    [[nodiscard]] Task<bool> begin_anew(bool tail_is_lost);
    [[nodiscard]] Task<bool> read_on();
    [[nodiscard]] Task<bool> was_cut();
    [[nodiscard]] Task<Answer> range(std::string_view from, std::string_view to);
    [[nodiscard]] bool take_purges(const std::vector<redis::Reply>& records);
    [[nodiscard]] bool make(const LogRecord& record);
    [[nodiscard]] bool make_up(Position until);
    [[nodiscard]] bool keep_up_with_nodes();
    [[nodiscard]] bool own_are_lost(TimePoint asked) const;
    [[nodiscard]] bool purge_memory();
    [[nodiscard]] bool was_away_too_long() const;
    void start_at(Position before);
    void lose_step() noexcept;

    // -- fleet_say.cpp: saying
    [[nodiscard]] Task<void> speak();
    [[nodiscard]] Task<bool> say_some();
    [[nodiscard]] Task<bool> beat();
    [[nodiscard]] Task<bool> say_reset(std::string id);
    void complain_of(const Answer& answer);
    void note_beat(const Answer& answer);
    [[nodiscard]] redis::Command command_for(const LogRecord& record) const;
    void tell_others(LogRecord record);
    void tell_others_of(std::string_view token);
    void tell_others_waiting(TimePoint since);
    [[nodiscard]] Task<void> bring_in(LogRecord record);
    void make_brought(LogRecord record);
    void push(Own own, std::uint64_t since);
    void know(const std::string& token);
    void stir();
    void said(Own own, Position position);
    void remember(LogRecord record, Position position);
    void make_place();
    void take_over(UntoldByToken::iterator one, std::optional<Untold>& all);
    void end_said(Position until);
    void say_again(Again which, Position before = std::numeric_limits<Position>::max());
    void say_forgotten(Again which, Position before);
    void push_all(std::optional<Untold> all);
    [[nodiscard]] bool beat_is_due() const noexcept;

    // -- fleet_nodes.cpp: who has made what
    void take_nodes(const std::vector<redis::Reply>& records);
    void take_node(NodeRecord record);
    [[nodiscard]] bool lives(const Node& node) const noexcept;
    void wait_for(Position purge, Own own);
    void look_at_waiters();
    [[nodiscard]] std::optional<Made> made(Position purge, const Waiter& waiter) const;
    void answer_unsaid(TimePoint due);
    void count(Position purge, std::uint64_t number);
    void look_at_counts();

    // -- reclaim.cpp
    struct Covering {
        std::string tag;
        Position position = 0;
    };
    void reclaim_soon(Covering purge);
    [[nodiscard]] Task<void> reclaim_all();
    [[nodiscard]] Task<void> reclaim(Covering purge);
    [[nodiscard]] Task<std::optional<std::size_t>> reclaim(const Covering& purge,
                                                           const std::string& set,
                                                           const std::vector<redis::Reply>& names);

    Around around_;
    TierState& state_;
    const std::string purges_, nodes_name_;  ///< the streams' names

    Position place_ = 0;        ///< the last record that was read; 0: none ever
    Position nodes_place_ = 0;  ///< of the other stream
    bool synced_ = false;       ///< place_ stands in the log as it is
    bool reading_ = false, speaking_ = false, stopped_ = false;
    bool in_vain_ = false;  ///< the last reading did not wait, and brought nothing

    std::deque<Own> unsaid_;
    std::deque<Telling> telling_;
    UntoldByToken untold_;
    std::deque<Said> said_;         ///< of late
    TimePoint forgotten_{};         ///< when the last one was said for which said_ had no room
    Position said_last_ = 0;        ///< where the last one was put
    TimePoint read_at_{};           ///< the log was last known to its end
    std::deque<std::string> told_;  ///< tokens of late, whoever's
    std::map<Position, Waiter> waiters_;              ///< by the purge
    std::map<std::string, Node, std::less<>> nodes_;  ///< but for this one
    std::deque<Counting> counting_;
    std::deque<Covered> covered_;  ///< to be said
    std::deque<Covering> to_reclaim_;
    unsigned reclaiming_ = 0;  ///< that are under way
    TimePoint beaten_{};
    bool beat_refused_ = false;
    Position beaten_with_ = 0;
};

}  // namespace scrollgate::tier
