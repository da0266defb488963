#include "core/net/pipe_pool.hpp"

#include <cassert>
#include <csignal>
#include <new>

#include <fcntl.h>
#include <unistd.h>

#include "core/limits.hpp"

namespace scrollgate {
namespace {

bool sigpipe_ignored() noexcept {
    struct sigaction now {};
    return ::sigaction(SIGPIPE, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

/// Bytes that fit after asking for limits::pipe_size; less where the user has too many already.
std::size_t grow(int descriptor) noexcept {
    int size = ::fcntl(descriptor, F_SETPIPE_SZ, static_cast<int>(limits::pipe_size));
    if (size < 0) size = ::fcntl(descriptor, F_GETPIPE_SZ);
    return size < 0 ? 0 : static_cast<std::size_t>(size);
}

}  // namespace

// ---- Pipe

std::unique_ptr<Pipe> Pipe::open() noexcept {
    int ends[2];
    if (!sigpipe_ignored() || ::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return nullptr;
    std::unique_ptr<Pipe> made(new (std::nothrow) Pipe(ends[0], ends[1]));
    if (!made) {
        ::close(ends[0]);
        ::close(ends[1]);
        return nullptr;
    }
    made->size_ = grow(ends[1]);
    if (made->size_ < limits::pipe_size_least) return nullptr;
    return made;
}

Pipe::~Pipe() {
    ::close(exit_);
    ::close(entry_);
}

// ---- PipeLease

void PipeLease::release() noexcept {
    if (pool_ != nullptr) std::exchange(pool_, nullptr)->give_back(std::move(pipe_));
}

// ---- PipePool

PipePool::PipePool(std::size_t most, std::size_t kept) : most_(most), kept_(kept) {
    free_.reserve(kept);
}

PipeLease PipePool::lease() noexcept {
    std::unique_ptr<Pipe> pipe;
    if (!free_.empty()) {
        pipe = std::move(free_.back());
        free_.pop_back();
    } else if (leased_ < most_) {
        pipe = Pipe::open();
    }
    if (!pipe) return {};
    assert(pipe->held() == 0);
    ++leased_;
    return {this, std::move(pipe)};
}

void PipePool::give_back(std::unique_ptr<Pipe> pipe) noexcept {
    --leased_;
    if (pipe->held() == 0 && free_.size() < kept_) free_.push_back(std::move(pipe));
}

}  // namespace scrollgate
