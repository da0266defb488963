// DictionaryTrainer: when it gathers, when it judges, when it rests.
#include <algorithm>

#include "cache/store/dictionary.hpp"
#include "cache/store/store.hpp"

namespace scrollgate {
namespace {

constexpr std::size_t sample_least = 128;  // what is shorter has nothing to share
constexpr std::size_t texts_most = 3 * limits::dictionary;
constexpr std::size_t tests = 16;  // bodies that judge a dictionary, which it has not seen
constexpr double pays = 0.9;       // of what plain LZ4 leaves: worth it if it leaves less
constexpr double better = 0.95;    // of what the present one leaves: worth another
constexpr double decayed = 1.25;   // of what it promised: learn again
constexpr std::uint64_t watch_every = 64;
constexpr double memory = 1.0 / 32;  // weight of one look in what it makes of late
constexpr std::uint64_t rest_first = 1024;
constexpr std::uint64_t rest_most = 1U << 20;
constexpr std::uint64_t least_memory = 8 * limits::MiB;  // a smaller cache does without
constexpr std::size_t lesson_bytes = texts_most + (tests + 1) * limits::dictionary_object;

/// What a body is stored as: packed, or raw where that is too little.
std::size_t packed_size(const Dictionary* dictionary, std::string_view body) noexcept {
    char packed[limits::dictionary_object];
    const std::size_t most = body.size() - body.size() / 8;
    const std::size_t got = pack(dictionary, body, {packed, most});
    return got != 0 ? got : body.size();
}

std::size_t packed_sum(const Dictionary* dictionary, const std::vector<std::string>& bodies) {
    std::size_t sum = 0;
    for (const std::string& body : bodies)
        sum += packed_size(dictionary, body);
    return sum;
}

/// Those texts that say most that the others before them do not, joined.
std::string joined(const std::vector<std::string>& texts) {
    std::string dictionary;
    std::vector<bool> taken(texts.size(), false);
    // First those that what is there makes little smaller, then whatever fits.
    DictionaryRef so_far;
    for (const double novelty : {0.5, 0.25, 0.0}) {
        for (std::size_t i = 0; i < texts.size() && dictionary.size() < limits::dictionary; ++i) {
            if (taken[i]) continue;
            if (!so_far || so_far->text().size() != dictionary.size())
                so_far = new Dictionary(0, dictionary, nullptr);
            const auto packed = static_cast<double>(packed_size(so_far.get(), texts[i]));
            if (packed < novelty * static_cast<double>(texts[i].size())) continue;
            taken[i] = true;
            dictionary.append(texts[i], 0, limits::dictionary - dictionary.size());
        }
    }
    return dictionary;
}

}  // namespace

struct DictionaryTrainer::Lesson {
    std::vector<std::string> texts;  // to learn from
    std::size_t bytes = 0;
    std::vector<std::string> tests;
};

DictionaryTrainer::DictionaryTrainer(CacheStore& store) : store_(store), rest_(rest_first) {}

DictionaryTrainer::~DictionaryTrainer() {
    if (lesson_) store_.release(lesson_bytes);
}

DictionaryRef DictionaryTrainer::current() const {
    const Lock lock(mutex_);
    return alive_.empty() ? nullptr : alive_.back();
}

void DictionaryTrainer::learn(std::string_view body) {
    if (body.size() < sample_least || body.size() > limits::dictionary_object) return;
    const std::uint64_t number = seen_.fetch_add(1, std::memory_order_relaxed);
    if (number < next_.load(std::memory_order_relaxed)) return;
    // Whoever comes while another one learns is not needed.
    Lock lock(mutex_, std::try_to_lock);
    if (!lock) return;
    if (!lesson_ && !alive_.empty() && recent_ < std::min(promised_ * decayed, pays))
        watch(lock, body);
    else
        gather(body);
}

void DictionaryTrainer::rest() {
    next_.store(seen_.load(std::memory_order_relaxed) + rest_, std::memory_order_relaxed);
    rest_ = std::min(rest_ * 2, rest_most);
}

void DictionaryTrainer::watch(Lock& lock, std::string_view body) {
    next_.store(seen_.load(std::memory_order_relaxed) + watch_every, std::memory_order_relaxed);
    const DictionaryRef newest = alive_.back();
    lock.unlock();
    const auto plain = static_cast<double>(packed_size(nullptr, body));
    const double left = static_cast<double>(packed_size(newest.get(), body)) / plain;
    lock.lock();
    recent_ += (left - recent_) * memory;
}

void DictionaryTrainer::gather(std::string_view body) {
    if (!lesson_) {
        if (store_.numbers().capacity < least_memory || !store_.reserve(lesson_bytes))
            return rest();
        lesson_ = std::make_unique<Lesson>();
    }
    if (lesson_->bytes < texts_most) {
        lesson_->texts.emplace_back(body);
        lesson_->bytes += body.size();
        return;
    }
    if (lesson_->tests.size() == tests) return;  // it came before it saw next_
    lesson_->tests.emplace_back(body);
    // Until it is judged nobody need look.
    if (lesson_->tests.size() == tests) next_.store(UINT64_MAX, std::memory_order_relaxed);
}

void DictionaryTrainer::study() {
    Lock lock(mutex_);
    if (!lesson_ || lesson_->tests.size() < tests) return;
    const std::unique_ptr<Lesson> done = std::move(lesson_);
    judge(lock, *done);
    store_.release(lesson_bytes);
}

// Nobody gathers meanwhile: next_ keeps them away.
void DictionaryTrainer::judge(Lock& lock, const Lesson& lesson) {
    const DictionaryRef present = alive_.empty() ? nullptr : alive_.back();
    const std::uint64_t id = ++id_;
    const bool room = store_.reserve(Dictionary::charged());
    lock.unlock();
    DictionaryRef made;
    if (room) made = new Dictionary(id, joined(lesson.texts), &store_);
    const auto plain = static_cast<double>(packed_sum(nullptr, lesson.tests));
    const auto now = static_cast<double>(packed_sum(present.get(), lesson.tests));
    const auto then = room ? static_cast<double>(packed_sum(made.get(), lesson.tests)) : now;
    lock.lock();
    const bool adopts = room && may_adopt() && then < pays * plain && then < better * now;
    if (adopts) {
        alive_.push_back(std::move(made));
        promised_ = recent_ = then / plain;
        rest_ = rest_first;
        next_.store(seen_.load(std::memory_order_relaxed) + watch_every, std::memory_order_relaxed);
        return;
    }
    if (present) promised_ = recent_ = now / plain;
    rest();
}

// Those that no body has any more go.
bool DictionaryTrainer::may_adopt() {
    const auto last = alive_.empty() ? alive_.end() : std::prev(alive_.end());
    alive_.erase(std::remove_if(alive_.begin(), last,
                                [](const DictionaryRef& d) { return d->use_count() == 1; }),
                 last);
    return alive_.size() < limits::dictionaries;
}

}  // namespace scrollgate
