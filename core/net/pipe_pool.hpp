// PipePool: a worker's pipes for splice(2), few and bounded in number.
//
// A pipe carries bytes from one socket to another without a copy into this process. It is leased
// only while bytes are in it, so that connections which wait for a peer that sends hold none;
// those whose peer does not take what is in the pipe do. One that is given back with bytes in it is
// closed: what is leased is always empty. When all are out, or the system grants none, bodies are
// copied as before. One worker; no locks.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace scrollgate {

class Pipe {
  public:
    /// A new pipe of limits::pipe_size bytes, or of what the system grants if that is worth it.
    /// Null if there is none: no descriptor, too many pages in pipes of this user (pipe(7)), or
    /// SIGPIPE not ignored, which a splice to a socket that is gone would raise.
    [[nodiscard]] static std::unique_ptr<Pipe> open() noexcept;
    ~Pipe();
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;

    /// Where bytes go in, and where they come out.
    [[nodiscard]] int entry() const noexcept { return entry_; }
    [[nodiscard]] int exit() const noexcept { return exit_; }
    /// Most bytes that one splice moves into it.
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// Bytes that are in it.
    [[nodiscard]] std::size_t held() const noexcept { return held_; }
    void gained(std::size_t bytes) noexcept { held_ += bytes; }
    void lost(std::size_t bytes) noexcept { held_ -= bytes; }

  private:
    Pipe(int exit, int entry) noexcept : exit_(exit), entry_(entry) {}

    int exit_, entry_;
    std::size_t size_ = 0, held_ = 0;
};

class PipePool;

/// A leased pipe (RAII). Empty when default-constructed, or when there was none.
class PipeLease {
  public:
    PipeLease() = default;
    PipeLease(PipeLease&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)), pipe_(std::move(other.pipe_)) {}
    PipeLease& operator=(PipeLease&& other) noexcept {
        if (this != &other) {
            release();
            pool_ = std::exchange(other.pool_, nullptr);
            pipe_ = std::move(other.pipe_);
        }
        return *this;
    }
    ~PipeLease() { release(); }

    /// Gives it back; closes it if it is not empty.
    void release() noexcept;
    explicit operator bool() const noexcept { return pipe_ != nullptr; }
    Pipe& operator*() const noexcept { return *pipe_; }
    Pipe* operator->() const noexcept { return pipe_.get(); }

  private:
    friend class PipePool;
    PipeLease(PipePool* pool, std::unique_ptr<Pipe> pipe) noexcept
        : pool_(pool), pipe_(std::move(pipe)) {}

    PipePool* pool_ = nullptr;
    std::unique_ptr<Pipe> pipe_;
};

class PipePool {
  public:
    /// At most `most` pipes at a time; `kept` free ones stay open.
    PipePool(std::size_t most, std::size_t kept);
    PipePool(const PipePool&) = delete;
    PipePool& operator=(const PipePool&) = delete;

    /// An empty pipe, or an empty lease when there is none.
    [[nodiscard]] PipeLease lease() noexcept;
    /// Pipes that are out now.
    [[nodiscard]] std::size_t leased() const noexcept { return leased_; }
    /// Pipes that wait to be used again.
    [[nodiscard]] std::size_t idle() const noexcept { return free_.size(); }

  private:
    friend class PipeLease;
    void give_back(std::unique_ptr<Pipe> pipe) noexcept;

    std::size_t most_, kept_;
    std::size_t leased_ = 0;
    std::vector<std::unique_ptr<Pipe>> free_;
};

}  // namespace scrollgate
