// Recycled<T>: a worker's free objects of one kind, so that the usual request allocates none.
//
// T is made from a Worker and has reset(). Bounded: more than limits::exchanges_kept free ones are
// destroyed. One worker; no locks.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "core/limits.hpp"

namespace scrollgate {

class Worker;

template <class T>
class Recycled {
  public:
    Recycled() = default;
    Recycled(const Recycled&) = delete;
    Recycled& operator=(const Recycled&) = delete;
    ~Recycled() {
        for (T* one : free_)
            delete one;
    }

    /// One that is as good as new; until give_back().
    [[nodiscard]] T& take(Worker& worker) {
        if (free_.empty()) return *new T(worker);
        T* const taken = free_.back();
        free_.pop_back();
        return *taken;
    }
    void give_back(T& one) noexcept {
        one.reset();
        if (free_.size() >= limits::exchanges_kept) {
            delete &one;
        } else {
            free_.push_back(&one);
        }
    }

  private:
    std::vector<T*> free_;
};

}  // namespace scrollgate
