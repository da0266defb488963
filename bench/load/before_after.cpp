#include "bench/load/before_after.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace scrollgate::bench {
namespace {

void add_beat(Pulse::Beat& to, const Pulse::Beat& beat) {
    to.requests += beat.requests;
    to.failed += beat.failed;
    to.longest = std::max(to.longest, beat.longest);
}

void add_side(BeforeAfter::Side& to, const BeforeAfter::Side& side) {
    for (std::size_t i = 0; i < failures; ++i)
        to.by_failure[i] += side.by_failure[i];
    to.latency.add(side.latency);
}

}  // namespace

void Pulse::widen() {
    width_ *= 2;
    for (std::size_t i = 0; i < beats_.size(); ++i) {
        const Beat beat = std::exchange(beats_[i], Beat());
        add_beat(beats_[i / 2], beat);
    }
    beats_.resize((beats_.size() + 1) / 2);
}

Pulse::Beat& Pulse::beat_at(Duration at) {
    while (at / width_ >= static_cast<Duration::rep>(beats_max))
        widen();
    const auto index = static_cast<std::size_t>(at / width_);
    if (beats_.size() <= index) beats_.resize(index + 1);
    return beats_[index];
}

void Pulse::count(Duration at, const Sample& sample) {
    const Duration took = sample.complete() ? sample.done - sample.intended : Duration::zero();
    add_beat(beat_at(at), {1, sample.failure ? 1U : 0U, took});
}

void Pulse::add(const Pulse& other) {
    while (width_ < other.width_)
        widen();
    for (std::size_t i = 0; i < other.beats_.size(); ++i)
        add_beat(beat_at(other.width_ * static_cast<Duration::rep>(i)), other.beats_[i]);
}

BeforeAfter::BeforeAfter(std::size_t methods, Duration moment)
    : moment_(moment), methods_(methods) {}

void BeforeAfter::count(Duration done, const Sample& sample) {
    Method& method = methods_[sample.method];
    if (done < moment_ / 4) return;
    Side& side = done < moment_ ? method.before : method.after;
    if (sample.failure) ++side.by_failure[static_cast<std::size_t>(*sample.failure)];
    if (sample.complete()) side.latency.record(sample.done - sample.intended);
    if (done >= moment_) method.pulse.count(done - moment_, sample);
}

void BeforeAfter::add(const BeforeAfter& other) {
    assert(methods_.size() == other.methods_.size() && moment_ == other.moment_);
    for (std::size_t i = 0; i < methods_.size(); ++i) {
        add_side(methods_[i].before, other.methods_[i].before);
        add_side(methods_[i].after, other.methods_[i].after);
        methods_[i].pulse.add(other.methods_[i].pulse);
    }
}

}  // namespace scrollgate::bench
