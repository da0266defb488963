// Node: one server, from its name to a connection that answers, and back when that is lost.
//
//   resting -> looking (its name) -> connecting -> greeting -> up -> resting …
//
// The greeting is AUTH, SELECT, READONLY, ROLE, CLUSTER SLOTS, SCRIPT LOAD, SUBSCRIBE, as far as it
// applies, and then PING, which must be answered within the deadline of a command: a node that is
// too slow to be of use is not up. While up it is watched: the breaker counts deadlines, and where
// commands wait and nothing at all comes for limits::redis_silence the node is given up, too. Names
// are resolved anew for each connection, addresses tried in turn.
//
// Shared by its owner and by resolutions under way. One loop's thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cache/redis/breaker.hpp"
#include "cache/redis/client.hpp"
#include "cache/redis/link.hpp"

namespace scrollgate::redis {

class Node final : public Overseer,
                   private Link::Owner,
                   private TimerWheel::Timer,
                   public std::enable_shared_from_this<Node> {
  public:
    /// Who has it. Each of the calls may close the node and let it go.
    class Owner {
      public:
        /// A connection is to be made. False: not now, find() or lose() follows.
        virtual bool seek(Node& node) = 0;
        /// It is up now, or no longer.
        virtual void changed(Node& node) = 0;
        /// What CLUSTER SLOTS was answered with, maybe an error.
        virtual void learned(Node& node, const Reply& slots) = 0;
        /// A question or what was told has an answer; the node has drawn its own conclusions.
        virtual void answered(Node& node, FlightPtr flight, Reply reply) = 0;
        /// A message of pub/sub, or what looks like one. True: it was one.
        virtual bool pushed(Node& node, const Reply& reply) = 0;

      protected:
        ~Owner() = default;
    };
    /// What the greeting makes sure of.
    struct Manners {
        bool is_sentinel = false;  ///< neither AUTH nor SELECT
        bool must_be_master = false;
        bool replica = false;  ///< READONLY, in a cluster
        bool asks_slots = false;
        std::vector<const Script*> scripts{};
        std::vector<std::string> channels{};
    };
    enum class State : std::uint8_t { resting, looking, connecting, greeting, up };

    Node(const Surroundings& around, std::shared_ptr<const Settings> settings, Load& load,
         const Credentials& credentials, Owner& owner, NodeName name, Manners manners);
    ~Node() override = default;

    /// Begins, without a pause.
    void start();
    /// Lets everything go; nothing is called any more.
    void close() noexcept;
    /// Another name for the next try; while it rests.
    void rename(NodeName name);
    /// What the cluster says that it is now.
    void serve_as(bool replica);
    /// Where it is, after seek() said no.
    void find(NodeName name);
    /// It cannot be connected to, or is no good: a pause follows, then another try.
    void lose(std::string_view why, bool slow = false);

    [[nodiscard]] const NodeName& name() const noexcept { return name_; }
    [[nodiscard]] Manners& manners() noexcept { return manners_; }
    [[nodiscard]] bool up() const noexcept { return state_ == State::up; }
    /// Waits for find() or lose().
    [[nodiscard]] bool looking() const noexcept { return state_ == State::looking; }
    /// For status: up, connecting for the first time, or left alone.
    [[nodiscard]] redis::State seen() const noexcept;
    /// Why it was lost last; empty: it was not, or is up again.
    [[nodiscard]] std::string_view why_lost() const noexcept {
        return reasons_.empty() ? std::string_view{} : reasons_.back();
    }

    /// Sends it. Only when up.
    void submit(FlightPtr flight);
    /// A command of the owner's whose answer is nobody's. Only when up.
    void say(Command command);
    /// Writes are not taken at present: what the server has said. One of them is let through now
    /// and then.
    [[nodiscard]] const Reply* holds_writes() noexcept;
    /// Says AUTH on a live connection.
    void authenticate();
    /// Loads its scripts again.
    void teach();

  private:
    enum Step : std::uint8_t { auth, select, readonly, role, slots, script, subscribe, ping };

    // Link::Owner
    void connected(const boost::system::error_code& error) noexcept override;
    bool pushed(Reply& reply) noexcept override;
    void answered(FlightPtr flight, Reply reply) noexcept override;
    void broken(std::string_view why) noexcept override { lose(why); }
    // Overseer, Timer
    void late(Flight& flight) noexcept override;
    void expired() noexcept override;

    void look();
    void dial(const Resolver::Answer& answer);
    void greet();
    void greet_with(Step step, Command command);
    void greeted(const Flight& flight, const Reply& reply);
    [[nodiscard]] std::string auth_text(const Reply& reply) const;
    [[nodiscard]] std::string refusal(Step step, const Reply& reply) const;
    void pinged(const Flight& flight);
    void come_up();
    void note_loss(std::string_view why);
    void tell_refusal(const Reply& reply);
    void watch();
    void judge(const Flight& flight, const Reply& reply);
    void hold(const Reply& reply);
    [[nodiscard]] FlightPtr make(Command command, Flight::Purpose purpose);
    [[nodiscard]] DialPlan plan();

    const Surroundings& around_;
    std::shared_ptr<const Settings> settings_;
    Load& load_;
    const Credentials& credentials_;
    Owner* owner_;  ///< null: closed
    NodeName name_;
    Manners manners_;

    State state_ = State::resting;
    Breaker breaker_;
    Link::Ptr link_;
    std::shared_ptr<const TlsTarget> target_;
    std::shared_ptr<TlsSession> session_;
    std::uint64_t tries_ = 0;           ///< which of several addresses is next
    std::uint64_t look_ = 0;            ///< answers to earlier looks are of no use
    unsigned greetings_ = 0;            ///< steps that are not answered
    unsigned pings_ = 0;                ///< that came too late
    std::size_t subscribed_ = 0;        ///< channels that are
    std::vector<std::string> reasons_;  ///< why it is away: different ones since it was up
    TimePoint refusal_told_{};
    TimePoint up_since_{};

    std::optional<Reply> held_;  ///< why writes are not taken
    TimePoint held_until_{};
    Duration hold_{};
    bool trying_ = false;  ///< a write was let through
};

}  // namespace scrollgate::redis
