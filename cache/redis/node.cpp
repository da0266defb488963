#include "cache/redis/node.hpp"

#include <algorithm>

#include <fmt/chrono.h>

#include "core/limits.hpp"
#include "core/log.hpp"

namespace scrollgate::redis {
namespace {

std::string in_ms(Duration span) {
    const double ms = seconds_of(span) * 1000;
    return ms < 100 ? fmt::format("{:.3g}ms", ms) : fmt::format("{:.0f}ms", ms);
}

constexpr unsigned most_pings = 3;
constexpr auto replica_patience = std::chrono::seconds(5);
constexpr std::size_t reasons_most = 8;  // of one absence that the log has
constexpr auto refusal_again = std::chrono::minutes(1);

}  // namespace

Node::Node(const Surroundings& around, std::shared_ptr<const Settings> settings, Load& load,
           const Credentials& credentials, Owner& owner, NodeName name, Manners manners)
    : around_(around),
      settings_(std::move(settings)),
      load_(load),
      credentials_(credentials),
      owner_(&owner),
      name_(std::move(name)),
      manners_(std::move(manners)) {}

State Node::seen() const noexcept {
    if (up()) return redis::State::up;
    return reasons_.empty() ? redis::State::connecting : redis::State::open;
}

// ---- from the name to a connection

void Node::start() {
    state_ = State::looking;
    disarm();
    if (owner_->seek(*this)) look();  // else it may be gone
}

void Node::rename(NodeName name) {
    if (!(name == name_)) target_.reset();
    name_ = std::move(name);
}

void Node::find(NodeName name) {
    if (owner_ == nullptr) return;
    rename(std::move(name));
    look();
}

/// A master does not mind READONLY; a replica has to hear it.
void Node::serve_as(bool replica) {
    if (replica && !manners_.replica && up()) say(Command::read({"READONLY"}, 0));
    manners_.replica = replica;
}

void Node::look() {
    state_ = State::looking;
    around_.resolver.resolve(
        name_.host, name_.port,
        [weak = weak_from_this(), look = ++look_](const Resolver::Answer& answer) {
            const std::shared_ptr<Node> self = weak.lock();
            if (self && self->look_ == look && self->state_ == State::looking) self->dial(answer);
        });
}

void Node::dial(const Resolver::Answer& answer) {
    if (owner_ == nullptr) return;
    if (answer.addresses.empty()) {
        lose(fmt::format("{}: {}", name_.host, answer.error));
        return;
    }
    const SocketAddress& peer = answer.addresses[tries_++ % answer.addresses.size()];
    state_ = State::connecting;
    around_.loop.arm(*this, around_.loop.now() + limits::redis_connect);
    link_ = Link::make(around_.loop, around_.dialer.open(around_.loop, plan()), *this,
                       around_.statistics);
    link_->connect(peer);
}

/// A node that the cluster calls by its address is taken for one of the seeds' name.
DialPlan Node::plan() {
    if (!settings_->tls) return {};
    if (!target_) {
        std::string name = settings_->server_name;
        if (name.empty()) name = name_.host;
        if (settings_->server_name.empty() && settings_->sentinel_master.empty() &&
            SocketAddress::from_ip(name, 0))
            name = settings_->seeds.front().host;
        target_ = std::make_shared<const TlsTarget>(TlsTarget{settings_->tls, std::move(name)});
        session_ = std::make_shared<TlsSession>();
    }
    return {.tls = target_, .session = session_};
}

void Node::connected(const boost::system::error_code& error) noexcept {
    if (error) {
        lose(error.message());
        return;
    }
    Statistics::add(around_.statistics.connects, 1);
    greet();
}

// ---- greeting

FlightPtr Node::make(Command command, Flight::Purpose purpose) {
    return std::make_unique<Flight>(std::move(command), purpose, load_);
}

void Node::greet_with(Step step, Command command) {
    FlightPtr flight = make(std::move(command), Flight::Purpose::greeting);
    flight->step = step;
    ++greetings_;
    link_->submit(std::move(flight));
}

namespace {

Command auth_command(const Credentials& credentials) {
    if (credentials.username.empty()) return Command::read({"AUTH", credentials.password}, 0);
    return Command::read({"AUTH", credentials.username, credentials.password}, 0);
}

}  // namespace

void Node::greet() {
    state_ = State::greeting;
    greetings_ = pings_ = 0;
    subscribed_ = 0;
    if (!manners_.is_sentinel) {
        if (!credentials_.password.empty()) greet_with(auth, auth_command(credentials_));
        if (settings_->database != 0)
            greet_with(select, Command::read({"SELECT", std::to_string(settings_->database)}, 0));
    }
    if (manners_.replica) greet_with(readonly, Command::read({"READONLY"}, 0));
    if (manners_.must_be_master) greet_with(role, Command::read({"ROLE"}, 0));
    if (manners_.asks_slots) greet_with(slots, Command::read({"CLUSTER", "SLOTS"}, 0));
    for (const Script* each : manners_.scripts)
        greet_with(script, Command::read({"SCRIPT", "LOAD", each->text()}, 0));
    if (greetings_ == 0) greet_with(ping, Command::read({"PING"}, 0));
}

/// What the server says to AUTH; its code alone if it repeats the password.
std::string Node::auth_text(const Reply& reply) const {
    const bool repeats = reply.text.find(credentials_.password) != std::string::npos;
    return printable(repeats ? reply.code() : std::string_view(reply.text));
}

/// What is wrong with an answer to the greeting; empty: nothing.
std::string Node::refusal(Step step, const Reply& reply) const {
    const std::string_view code = reply.code();
    if (code == "LOADING") return "is loading its data";
    if (code == "NOAUTH") return "asks for a password";
    if (step == auth && reply.is_error()) return fmt::format("AUTH refused: {}", auth_text(reply));
    if (step == slots || step == script) return {};
    if (reply.is_error()) return printable(reply.text);
    if (step == role && (reply.elements.empty() || reply.elements[0].text != "master"))
        return "is not the master";
    return {};
}

void Node::greeted(const Flight& flight, const Reply& reply) {
    const auto step = static_cast<Step>(flight.step);
    if (const std::string why = refusal(step, reply); !why.empty()) {
        lose(why);
        return;
    }
    --greetings_;
    if (step == ping) {
        pinged(flight);
        return;
    }
    if (step == slots) {
        const std::shared_ptr<Node> self = shared_from_this();
        owner_->learned(*this, reply);
        if (owner_ == nullptr || state_ != State::greeting) return;
    }
    if (step == subscribe) ++subscribed_;
    if (greetings_ > 0) return;
    if (step == subscribe) {
        come_up();
    } else {
        greet_with(ping, Command::read({"PING"}, 0));
    }
}

/// The last question, and one by itself, so that its time is that of the way and no more.
void Node::pinged(const Flight& flight) {
    const Duration took = around_.loop.now() - flight.submitted;
    if (took > settings_->timeout && manners_.channels.empty() && !manners_.is_sentinel) {
        if (++pings_ < most_pings) {
            greet_with(ping, Command::read({"PING"}, 0));
        } else {
            lose(fmt::format("PING took {}, more than timeout ({})", in_ms(took),
                             in_ms(settings_->timeout)),
                 true);
        }
        return;
    }
    for (const std::string& channel : manners_.channels)
        greet_with(subscribe, Command::read({"SUBSCRIBE", channel}, 0));
    if (manners_.channels.empty()) come_up();
}

void Node::come_up() {
    state_ = State::up;
    disarm();
    up_since_ = around_.loop.now();
    breaker_.closed(up_since_);
    held_.reset();
    hold_ = {};
    if (around_.talks && !reasons_.empty())
        log::info("redis {}: {} answers again", settings_->shown, name_.text());
    reasons_.clear();
    owner_->changed(*this);
}

// ---- up

void Node::submit(FlightPtr flight) {
    flight->overseer = this;
    if (flight->until != never && !flight->armed())
        around_.loop.arm(flight->timer(), flight->until);
    link_->submit(std::move(flight));
    if (!armed()) around_.loop.arm(*this, around_.loop.now() + limits::redis_silence);
}

void Node::say(Command command) {
    submit(make(std::move(command), Flight::Purpose::upkeep));
}

void Node::authenticate() {
    if (!up() || manners_.is_sentinel || credentials_.password.empty()) return;
    FlightPtr flight = make(auth_command(credentials_), Flight::Purpose::upkeep);
    flight->step = auth;
    submit(std::move(flight));
}

void Node::teach() {
    for (const Script* each : manners_.scripts)
        say(Command::read({"SCRIPT", "LOAD", each->text()}, 0));
}

bool Node::pushed(Reply& reply) noexcept {
    if (manners_.channels.empty() || owner_ == nullptr) return false;
    return owner_->pushed(*this, reply);
}

void Node::answered(FlightPtr flight, Reply reply) noexcept {
    if (flight->purpose == Flight::Purpose::greeting) {
        greeted(*flight, reply);
        return;
    }
    if (flight->purpose == Flight::Purpose::upkeep) {
        if (flight->step == auth && reply.is_error() && around_.talks)
            log::warn("redis {}: {}: new credentials refused: {}", settings_->shown, name_.text(),
                      auth_text(reply));
        return;
    }
    if (flight->waits != nullptr) {
        breaker_.in_time();
        Statistics::add(around_.statistics.answered, 1);
        around_.statistics.took(around_.loop.now() - flight->submitted);
    }
    std::string trouble;
    const std::string_view code = reply.code();
    if (code == "LOADING" || code == "MASTERDOWN" || code == "NOAUTH" || code == "BUSY")
        trouble = printable(reply.text);
    if (code == "NOPERM") tell_refusal(reply);
    judge(*flight, reply);
    const bool demoted = code == "READONLY" && (manners_.must_be_master ||
                                                around_.loop.now() - up_since_ > replica_patience);
    if (demoted) trouble = "is no longer the master";
    const std::shared_ptr<Node> self = trouble.empty() ? nullptr : shared_from_this();
    owner_->answered(*this, std::move(flight), std::move(reply));
    if (self && owner_ != nullptr) lose(trouble, true);
}

/// Its rules let this user do less than we need: everything else may seem well.
void Node::tell_refusal(const Reply& reply) {
    const TimePoint now = around_.loop.now();
    if (!around_.talks || (refusal_told_ != TimePoint{} && now - refusal_told_ < refusal_again))
        return;
    refusal_told_ = now;
    log::warn("redis {}: {} refuses a command: {}", settings_->shown, name_.text(),
              printable(reply.text));
}

/// Whether the server takes writes. What it always takes is no proof.
void Node::judge(const Flight& flight, const Reply& reply) {
    if (flight.command.kind() != Command::Kind::write) return;
    const std::string_view code = reply.code();
    if (code == "OOM" || code == "MISCONF" || code == "READONLY" || code == "NOREPLICAS") {
        hold(reply);
    } else if (held_ && !reply.is_error()) {
        held_.reset();
        hold_ = {};
        if (around_.talks)
            log::info("redis {}: {} takes writes again", settings_->shown, name_.text());
    }
}

void Node::hold(const Reply& reply) {
    const TimePoint now = around_.loop.now();
    if (held_ && now < held_until_ && !trying_) return;
    if (!held_ && around_.talks)
        log::warn("redis {}: {} takes no writes: {}", settings_->shown, name_.text(),
                  printable(reply.text));
    trying_ = false;
    held_ = reply;
    hold_ = hold_ == Duration{} ? Duration(limits::redis_pause)
                                : std::min<Duration>(hold_ * 2, limits::redis_pause_max);
    held_until_ = now + hold_;
}

const Reply* Node::holds_writes() noexcept {
    if (!held_) return nullptr;
    const TimePoint now = around_.loop.now();
    if (now < held_until_) return &*held_;
    held_until_ = now + hold_;
    trying_ = true;
    return nullptr;
}

// ---- watching

void Node::late(Flight& flight) noexcept {
    Statistics::add(around_.statistics.late, 1);
    // Whoever gives it less than is usual must not wonder.
    if (!up() || around_.loop.now() - flight.submitted < settings_->timeout) return;
    if (flight.command.blocks()) {
        lose("no answer to a blocking command", true);
    } else if (breaker_.late()) {
        lose(fmt::format("{} deadlines in a row were missed", limits::redis_missed), true);
    }
}

void Node::expired() noexcept {
    if (owner_ == nullptr) return;
    if (state_ == State::resting) {
        start();
    } else if (state_ == State::up) {
        watch();
    } else {
        lose(fmt::format("no answer within {}", in_ms(limits::redis_connect)));
    }
}

/// Given up if something waits and nothing at all comes.
void Node::watch() {
    if (link_->pending() == 0) return;
    const Flight& first = link_->first();
    TimePoint since = std::max(first.submitted, link_->heard());
    if (first.command.blocks() && first.until != never) since = std::max(since, first.until);
    const TimePoint due = since + limits::redis_silence;
    if (around_.loop.now() < due) {
        around_.loop.arm(*this, due);
    } else {
        lose(fmt::format("silent for {}", in_ms(limits::redis_silence)), true);
    }
}

// ---- the end of a connection

void Node::lose(std::string_view why, bool slow) {
    if (owner_ == nullptr || state_ == State::resting) return;
    const std::shared_ptr<Node> self = shared_from_this();
    const bool was_up = up();
    state_ = State::resting;
    ++look_;
    const TimePoint now = around_.loop.now();
    const Duration pause = breaker_.opened(now, around_.loop.rng(), slow);
    around_.loop.arm(*this, now + pause);
    if (was_up) Statistics::add(around_.statistics.breaks, 1);
    if (reasons_.empty()) Statistics::add(around_.statistics.openings, 1);
    note_loss(why);
    // Those that wait are told now, and may ask again.
    link_.reset();
    if (owner_ != nullptr) owner_->changed(*this);
}

/// The log has each reason once until it is up again; so many that differ say the same in numbers.
void Node::note_loss(std::string_view why) {
    std::string text = printable(why);
    const auto known = std::find(reasons_.begin(), reasons_.end(), text);
    if (known != reasons_.end()) {
        std::rotate(known, known + 1, reasons_.end());
        return;
    }
    if (reasons_.size() == reasons_most) return;
    if (around_.talks)
        log::warn("redis {}: {} {}: {}", settings_->shown, name_.text(),
                  reasons_.empty() ? "is left alone" : "is still away", text);
    reasons_.push_back(std::move(text));
}

void Node::close() noexcept {
    owner_ = nullptr;
    state_ = State::resting;
    disarm();
    ++look_;
    link_.reset();
}

}  // namespace scrollgate::redis
