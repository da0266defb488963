#include "cache/tier/dictionaries.hpp"

#include <algorithm>
#include <utility>

#include "core/limits.hpp"

namespace scrollgate::tier {

DictionaryRef Dictionaries::find(const Hash128& name) const {
    const std::lock_guard lock(mutex_);
    for (const One& one : known_)
        if (one.dictionary->name() == name) return one.dictionary;
    return nullptr;
}

bool Dictionaries::add(std::string text) {
    if (!store_.reserve(Dictionary::charged())) return false;
    const DictionaryRef made(new Dictionary(0, std::move(text), &store_));
    const std::lock_guard lock(mutex_);
    const auto same = [&](const One& one) { return one.dictionary->name() == made->name(); };
    if (std::none_of(known_.begin(), known_.end(), same)) keep({made});
    return true;
}

Dictionaries::There Dictionaries::there(const Hash128& name, TimePoint now) const {
    const std::lock_guard lock(mutex_);
    for (const One& one : known_) {
        if (one.dictionary->name() != name || one.said == TimePoint{}) continue;
        const Duration age = now - one.said;
        if (age >= limits::tier_dictionary_again) return There::no;
        return age >= limits::tier_dictionary_doubt ? There::doubtful : There::yes;
    }
    return There::no;
}

bool Dictionaries::begin(const Hash128& name) {
    const std::lock_guard lock(mutex_);
    if (std::find(busy_.begin(), busy_.end(), name) != busy_.end()) return false;
    if (busy_.size() >= limits::tier_dictionaries) return false;
    busy_.push_back(name);
    return true;
}

void Dictionaries::done(const Hash128& name) {
    const std::lock_guard lock(mutex_);
    std::erase(busy_, name);
}

void Dictionaries::said(const DictionaryRef& dictionary, TimePoint now) {
    const std::lock_guard lock(mutex_);
    for (One& one : known_)
        if (one.dictionary->name() == dictionary->name()) {
            one.said = now;
            return;
        }
    if (now != TimePoint{}) keep({dictionary, now});
}

void Dictionaries::keep(One one) {
    if (known_.size() >= limits::tier_dictionaries) known_.pop_front();
    known_.push_back(std::move(one));
}

}  // namespace scrollgate::tier
