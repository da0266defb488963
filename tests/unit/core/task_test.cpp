// Task and Child: who runs when, and that every frame ends.
#include "core/task.hpp"

#include <memory>
#include <string>

#include <doctest/doctest.h>

using namespace scrollgate;

namespace {

/// Holds coroutines until it is opened.
struct Door {
    std::coroutine_handle<> waiting;
    auto pass() noexcept {
        struct Awaiter {
            Door& door;
            bool await_ready() const noexcept { return false; }
            void await_suspend(std::coroutine_handle<> h) const noexcept { door.waiting = h; }
            void await_resume() const noexcept {}
        };
        return Awaiter{*this};
    }
    void open() { std::exchange(waiting, {}).resume(); }
};

detail::Detached drive(Task<void> task) {
    co_await std::move(task);
}

Task<int> immediately(int value) {
    co_return value;
}

Task<int> behind(Door& door, std::string& log, int value) {
    log += "<";
    co_await door.pass();
    log += ">";
    co_return value;
}

Task<int> sum(Door& door, std::string& log) {
    const int a = co_await behind(door, log, 1);
    const int b = co_await immediately(2);
    const int c = co_await Task<int>::ready(4);
    co_return a + b + c;
}

Task<void> store(Door& door, std::string& log, int& into) {
    into = co_await sum(door, log);
}

Task<void> hold(Door& door, std::shared_ptr<int> kept) {
    co_await door.pass();
    ++*kept;
}

Task<void> count(int& counter, int times) {
    for (int i = 0; i < times; ++i)
        counter += co_await immediately(1);
}

Task<std::unique_ptr<int>> movable() {
    co_return std::make_unique<int>(7);
}

Task<void> take(int& into) {
    const std::unique_ptr<int> got = co_await movable();
    into = *got;
}

Task<void> join_after(Child& child, std::string& log) {
    log += "w";
    co_await child.join();
    log += "j";
}

Task<void> append(std::string& log, Door& door) {
    log += "s";
    co_await door.pass();
    log += "e";
}

}  // namespace

TEST_CASE("a task does nothing until it is awaited") {
    Door door;
    std::string log;
    int into = 0;
    { const Task<void> never_started = store(door, log, into); }
    CHECK(log.empty());
    CHECK(into == 0);
}

TEST_CASE("a suspended task hands its value through all who wait for it") {
    Door door;
    std::string log;
    int into = 0;
    drive(store(door, log, into));
    CHECK(log == "<");
    CHECK(into == 0);
    door.open();
    CHECK(log == "<>");
    CHECK(into == 7);
}

TEST_CASE("a ready task has no frame and its value moves out") {
    Task<std::string> task = Task<std::string>::ready(std::string(100, 'x'));
    CHECK(task.await_ready());
    Task<std::string> moved = std::move(task);
    CHECK(moved.await_resume() == std::string(100, 'x'));
}

TEST_CASE("a value that can only be moved comes through") {
    int into = 0;
    drive(take(into));
    CHECK(into == 7);
}

#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// Sanitizers keep g++ from making the transfers between frames tail calls.
TEST_CASE("a hundred thousand tasks in a row need no stack") {
    int counter = 0;
    drive(count(counter, 100'000));
    CHECK(counter == 100'000);
}
#endif

TEST_CASE("tasks can be awaited in a loop") {
    int counter = 0;
    drive(count(counter, 100));
    CHECK(counter == 100);
}

TEST_CASE("a finished task lets go of its arguments, and so does one that never began") {
    const auto kept = std::make_shared<int>(0);
    Door door;
    { const Task<void> unused = hold(door, kept); }
    CHECK(kept.use_count() == 1);
    drive(hold(door, kept));
    CHECK(kept.use_count() > 1);
    door.open();
    CHECK(*kept == 1);
    CHECK(kept.use_count() == 1);
}

TEST_CASE("a child runs at once, and its owner goes on when it has finished") {
    Door door;
    std::string log;
    Child child;
    CHECK_FALSE(child.running());
    child.start(append(log, door));
    CHECK(child.running());
    drive(join_after(child, log));
    CHECK(log == "sw");
    door.open();
    CHECK(log == "swej");
    CHECK_FALSE(child.running());
}

TEST_CASE("joining a child that has finished, or never started, does not wait") {
    Door door;
    std::string log;
    Child child;
    drive(join_after(child, log));
    CHECK(log == "wj");
    child.start(append(log, door));
    door.open();
    CHECK_FALSE(child.running());
    drive(join_after(child, log));
    CHECK(log == "wjsewj");
}

TEST_CASE("a joined child can be started again") {
    Door door;
    std::string log;
    Child child;
    for (int i = 0; i < 2; ++i) {
        child.start(append(log, door));
        door.open();
    }
    CHECK(log == "sese");
}
