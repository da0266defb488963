#include "cache/fill/fill_reader.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace scrollgate {

FillReader::FillReader(FillRef fill, EventLoop& loop) : fill_(std::move(fill)), loop_(loop) {
    missed_ = !fill_->enter();
}

FillReader::~FillReader() {
    assert(!waiting_);
    if (!missed_) fill_->leave(at_, loop_);
}

std::string_view FillReader::take() {
    const std::uint64_t length = fill_->length();
    if (missed_ || cut_off_ || position_ == length) return {};
    if (at_ == nullptr || position_ == at_->end()) {
        FillSegment* const next = at_ == nullptr ? fill_->start() : fill_->step(at_, loop_);
        cut_off_ = next == nullptr;
        if (cut_off_) return {};
        at_ = next;
    }
    const std::uint64_t end = std::min(length, at_->end());
    const std::string_view bytes(at_->data() + (position_ - at_->begin),
                                 static_cast<std::size_t>(end - position_));
    position_ = end;
    fill_->read_up_to(position_, loop_);
    return bytes;
}

bool FillReader::at_end() const noexcept {
    return !missed_ && fill_->state() == Fill::State::complete && position_ == fill_->length();
}

bool FillReader::broken() const noexcept {
    return missed_ || cut_off_ || fill_->state() >= Fill::State::abandoned;
}

Error FillReader::error() const {
    return cut_off_ ? Error{ErrorKind::overloaded} : fill_->error();
}

// ---- waiting

bool FillReader::satisfied(For what) const noexcept {
    if (what == For::head) return missed_ || fill_->state() != Fill::State::asking;
    return missed_ || fill_->length() > position_ || fill_->over();
}

bool FillReader::wait(std::coroutine_handle<> waiting, For what, TimePoint until) {
    what_ = what;
    waiting_ = waiting;
    if (!fill_->enqueue(*this)) {
        waiting_ = {};
        return false;
    }
    if (until != never) loop_.arm(*this, until);
    return true;
}

FillReader::Woken FillReader::woken(For what) const noexcept {
    if (interrupted_) return Woken::interrupted;
    return satisfied(what) ? Woken::ready : Woken::late;
}

// It is in no queue any more.
void FillReader::go_on() {
    disarm();
    loop_.resume_later(std::exchange(waiting_, {}));
}

void FillReader::expired() noexcept {
    stop_waiting();
}

void FillReader::interrupt() {
    interrupted_ = true;
    stop_waiting();
}

void FillReader::stop_waiting() {
    if (!waiting_) return;
    fill_->dequeue(*this);
    go_on();
}

}  // namespace scrollgate
