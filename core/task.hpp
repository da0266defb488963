// Task<T>: the coroutine type of the data path, lazy and owned by exactly one awaiter.
//
// Why our own: awaiting costs two symmetric transfers and no executor hop, frames come from a pool,
// and a Task may be made from a value that is already there, without any frame (the usual case of a
// body that came with its head). Structured: destroying a Task destroys its frame, so a Task is
// only destroyed before it was started or after it has finished. One thread; no locks.
//
// The data path does not throw: an exception that leaves a coroutine ends the process.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

#include "core/frame_pool.hpp"

namespace scrollgate {

template <class T = void>
class Task;

namespace detail {

struct PromiseBase {
    std::coroutine_handle<> continuation = std::noop_coroutine();

    static void* operator new(std::size_t size) { return allocate_frame(size); }
    static void operator delete(void* frame, std::size_t size) noexcept { free_frame(frame, size); }

    struct FinalAwaiter {
        bool await_ready() const noexcept { return false; }
        template <class Promise>
        std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) const noexcept {
            return self.promise().continuation;
        }
        void await_resume() const noexcept {}
    };

    std::suspend_always initial_suspend() const noexcept { return {}; }
    FinalAwaiter final_suspend() const noexcept { return {}; }
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
};

template <class T>
struct Promise : PromiseBase {
    std::optional<T> value;
    Task<T> get_return_object() noexcept;
    template <class U>
    void return_value(U&& result) {
        value.emplace(std::forward<U>(result));
    }
};

template <>
struct Promise<void> : PromiseBase {
    Task<void> get_return_object() noexcept;
    void return_void() const noexcept {}
};

}  // namespace detail

template <class T>
class [[nodiscard]] Task {
  public:
    using promise_type = detail::Promise<T>;
    using Handle = std::coroutine_handle<promise_type>;

    explicit Task(Handle handle) noexcept : handle_(handle) {}
    Task(Task&& other) noexcept
        : handle_(std::exchange(other.handle_, {})), ready_(std::move(other.ready_)) {}
    Task& operator=(Task&&) = delete;
    ~Task() {
        if (handle_) handle_.destroy();
    }

    /// A task that has already finished; costs no frame.
    template <class U>
    static Task ready(U&& value) {
        Task task{Handle{}};
        task.ready_.emplace(std::forward<U>(value));
        return task;
    }

    bool await_ready() const noexcept { return !handle_; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
        handle_.promise().continuation = awaiting;
        return handle_;
    }
    T await_resume() { return std::move(handle_ ? *handle_.promise().value : *ready_); }

  private:
    Handle handle_;
    std::optional<T> ready_;
};

template <>
class [[nodiscard]] Task<void> {
  public:
    using promise_type = detail::Promise<void>;
    using Handle = std::coroutine_handle<promise_type>;

    explicit Task(Handle handle) noexcept : handle_(handle) {}
    Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
    Task& operator=(Task&&) = delete;
    ~Task() {
        if (handle_) handle_.destroy();
    }

    bool await_ready() const noexcept { return !handle_; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
        handle_.promise().continuation = awaiting;
        return handle_;
    }
    void await_resume() const noexcept {}

  private:
    Handle handle_;
};

namespace detail {

template <class T>
Task<T> Promise<T>::get_return_object() noexcept {
    return Task<T>(Task<T>::Handle::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() noexcept {
    return Task<void>(Task<void>::Handle::from_promise(*this));
}

/// A coroutine that starts at once and frees itself at its end.
struct Detached {
    struct promise_type {
        static void* operator new(std::size_t size) { return allocate_frame(size); }
        static void operator delete(void* frame, std::size_t size) noexcept {
            free_frame(frame, size);
        }
        Detached get_return_object() const noexcept { return {}; }
        std::suspend_never initial_suspend() const noexcept { return {}; }
        std::suspend_never final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
    };
};

}  // namespace detail

/// Runs `task`, whose owner is the coroutine itself, up to its first suspension, then returns.
inline detail::Detached detach(Task<void> task) {
    co_await std::move(task);
}

/// A task that runs beside its owner: started at once, joined before the owner's scope ends.
/// The owner must await join() before the Child is destroyed, if start() was called.
class Child {
  public:
    Child() = default;
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() = default;

    /// Runs `task` up to its first suspension, then returns. At most once until joined.
    void start(Task<void> task) { run(std::move(task), *this); }
    [[nodiscard]] bool running() const noexcept { return running_; }

    /// Awaitable: resumes when the task has finished; at once if none runs. One awaiter.
    auto join() noexcept {
        struct Awaiter {
            Child& child;
            bool await_ready() const noexcept { return !child.running_; }
            void await_suspend(std::coroutine_handle<> waiting) const noexcept {
                child.joiner_ = waiting;
            }
            void await_resume() const noexcept {}
        };
        return Awaiter{*this};
    }

  private:
    static detail::Detached run(Task<void> task, Child& child) {
        child.running_ = true;
        co_await std::move(task);
        child.running_ = false;
        if (std::coroutine_handle<> joiner = std::exchange(child.joiner_, {})) joiner.resume();
    }

    bool running_ = false;
    std::coroutine_handle<> joiner_;
};

}  // namespace scrollgate
