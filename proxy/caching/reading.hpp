// Reading: an exchange's part in a fill, for as long as it needs the body.
//
// While it reads it paces the fill's writer, and x.cancel() ends its waits. Whoever is answered in
// another way (stale, validated, 304) ends it first, so that a slow client holds nobody up. One
// worker.
#pragma once

#include <optional>
#include <utility>

#include "cache/fill/fill_reader.hpp"
#include "proxy/pipeline/exchange.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {

class Reading {
  public:
    /// Of `fill`, from its first byte.
    Reading(Exchange& x, FillRef fill) : x_(x), fill_(std::move(fill)) {
        x_.reading = &reader_.emplace(fill_, x_.worker.loop());
    }
    ~Reading() { end(); }
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;

    /// Before end().
    [[nodiscard]] FillReader& reader() noexcept { return *reader_; }
    /// Stays when reading has ended.
    [[nodiscard]] const Fill& fill() const noexcept { return *fill_; }
    /// Nothing of the body is needed any more. Nobody waits in the reader.
    void end() noexcept {
        x_.reading = nullptr;
        reader_.reset();
    }

  private:
    Exchange& x_;
    const FillRef fill_;
    std::optional<FillReader> reader_;
};

}  // namespace scrollgate
