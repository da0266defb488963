#include "proxy/observe/access_log.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/clock.hpp"
#include "core/limits.hpp"
#include "core/log.hpp"
#include "proxy/observe/byte_ring.hpp"
#include "proxy/observe/log_file.hpp"
#include "proxy/observe/log_line.hpp"

namespace scrollgate {
namespace {

using Format = config::AccessLog::Format;

constexpr int gather_ms = 10;  // one write per so many milliseconds; the lines stay in cache
constexpr auto complaint_pause = std::chrono::seconds(10);
constexpr auto patience = std::chrono::seconds(2);  // of an order, when the reader stalls

// What one worker needs for its lines.
struct Lane {
    ByteRing ring{limits::log_ring, LineFormatter::max_line};
    LineFormatter formatter;
    std::atomic<std::uint64_t> dropped{0};  // one writer: the worker
};

std::uint64_t count_lines(const iovec& piece) noexcept {
    const auto* bytes = static_cast<const char*>(piece.iov_base);
    return static_cast<std::uint64_t>(std::count(bytes, bytes + piece.iov_len, '\n'));
}

}  // namespace

struct AccessLog::Impl {
    Impl(const config::AccessLog& settings, unsigned workers);
    ~Impl();

    // Any thread.
    void wake() noexcept {
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto ignored = ::write(event, &one, sizeof one);
    }

    // The writer's thread.
    void run() noexcept;
    void quiet_event() noexcept;
    void sleep() noexcept;
    void take_orders() noexcept;
    void write_batch() noexcept;
    [[nodiscard]] bool wait_writable() noexcept;
    void give_up(std::size_t from, int error) noexcept;
    [[nodiscard]] bool all_empty() const noexcept {
        return std::all_of(lanes.begin(), lanes.end(),
                           [](const auto& lane) { return lane->ring.empty(); });
    }
    [[nodiscard]] bool ordered() const noexcept { return stop || reopen || replaced; }

    std::vector<std::unique_ptr<Lane>> lanes;
    std::atomic<Format> format;
    std::atomic<bool> asleep{false};  // the writer wants to be woken by the next line
    std::atomic<bool> stop{false}, reopen{false}, replaced{false};
    std::atomic<std::uint64_t> lost{0};  // lines the file did not take; one writer: the thread
    int event = -1;

    std::mutex mutex;  // of the two below, and of setting `replaced`; control and writer only
    std::string path;
    std::optional<LogFile> replacement;

    // The writer's own.
    std::optional<LogFile> file;
    std::vector<iovec> pieces;
    std::vector<std::size_t> sizes;  // per lane, of the batch
    bool torn = false;               // the file ends within a line
    std::optional<TimePoint> complained;
    std::optional<TimePoint> deadline;  // when an order stops waiting for a stalled reader
    std::thread thread;
};

AccessLog::Impl::Impl(const config::AccessLog& settings, unsigned workers)
    : format(settings.format), path(settings.path) {
    if (settings.format != Format::off) file.emplace(settings.path);
    event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event < 0) throw std::runtime_error("cannot make an eventfd for the access log");
    for (unsigned i = 0; i < workers; ++i)
        lanes.push_back(std::make_unique<Lane>());
    sizes.resize(lanes.size());
    pieces.reserve(2 * lanes.size() + 1);

    // The writer takes no signals: they are the control thread's; EPIPE comes as a value.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread = std::thread([this] { run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    pthread_setname_np(thread.native_handle(), "access-log");
}

AccessLog::Impl::~Impl() {
    stop = true;
    wake();
    thread.join();
    close(event);
}

void AccessLog::Impl::run() noexcept {
    while (true) {
        if (!all_empty()) {
            if (!file) take_orders();  // these lines may stand behind one that turns the log on
            if (!ordered()) {
                pollfd orders{event, POLLIN, 0};
                poll(&orders, 1, gather_ms);  // ends early for an order, not for a line
            }
            write_batch();  // what was logged before an order goes where it was meant to
        }
        take_orders();
        if (!all_empty()) continue;
        if (stop) return;
        sleep();
    }
}

void AccessLog::Impl::quiet_event() noexcept {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto ignored = ::read(event, &count, sizeof count);
}

void AccessLog::Impl::sleep() noexcept {
    asleep = true;  // from here on a new line wakes us; lines before it are seen now
    if (all_empty() && !ordered()) {
        pollfd news{event, POLLIN, 0};
        poll(&news, 1, -1);
        quiet_event();  // or the gathering would end at once; orders are flags of their own
    }
    asleep = false;
}

void AccessLog::Impl::take_orders() noexcept {
    quiet_event();
    if (replaced) {
        // The order and what it brings are taken together, or a second one that comes in between
        // would be taken twice, the second time without a file.
        const std::lock_guard lock(mutex);
        replaced = false;
        file = std::move(replacement);
        replacement.reset();
        torn = false;
    }
    if (!reopen.exchange(false) || !file) return;
    std::string current;
    {
        const std::lock_guard lock(mutex);
        current = path;
    }
    try {
        file.emplace(LogFile(current));
        torn = false;
    } catch (const std::exception& error) {
        log::error("{}; the old file stays in use", error.what());
    }
}

void AccessLog::Impl::write_batch() noexcept {
    static char line_end[] = "\n";
    pieces.clear();
    if (torn) pieces.push_back({line_end, 1});
    for (std::size_t i = 0; i < lanes.size(); ++i) {
        iovec of_lane[2];
        sizes[i] = lanes[i]->ring.peek(of_lane);
        for (const iovec& piece : of_lane) {
            if (piece.iov_len > 0) pieces.push_back(piece);
        }
    }
    std::size_t at = 0;
    while (at < pieces.size()) {
        LogFile::Written result{0, EBADF};  // lines that waited while the log was turned off
        if (file) result = file->write_some(std::span(pieces).subspan(at));
        if (result.error == EAGAIN && wait_writable()) continue;
        if (result.error != 0) {
            give_up(at, result.error);
            break;
        }
        for (std::size_t left = result.bytes; left > 0;) {
            iovec& piece = pieces[at];
            const std::size_t part = std::min(left, piece.iov_len);
            torn = static_cast<char*>(piece.iov_base)[part - 1] != '\n';
            piece.iov_base = static_cast<char*>(piece.iov_base) + part;
            piece.iov_len -= part;
            left -= part;
            if (piece.iov_len == 0) ++at;
        }
    }
    for (std::size_t i = 0; i < lanes.size(); ++i)
        lanes[i]->ring.consume(sizes[i]);
    if (!stop) deadline.reset();
}

// False if an order has waited long enough for this batch: it is given up.
bool AccessLog::Impl::wait_writable() noexcept {
    pollfd either[2] = {{file->descriptor(), POLLOUT, 0}, {event, POLLIN, 0}};
    if (!ordered()) {
        poll(either, 2, -1);
        return true;
    }
    if (!deadline) deadline = system_clock().now() + patience;
    const auto left = *deadline - system_clock().now();
    if (left <= Duration::zero()) return false;
    poll(either, 1, static_cast<int>(left / std::chrono::milliseconds(1)) + 1);
    return true;
}

// Drops the batch from piece `from` on. A line of which a part was written counts as dropped.
void AccessLog::Impl::give_up(std::size_t from, int error) noexcept {
    std::uint64_t lines = 0;
    for (std::size_t i = from; i < pieces.size(); ++i) {
        if (pieces[i].iov_len > 0) lines += count_lines(pieces[i]);
    }
    lost.store(lost.load(std::memory_order_relaxed) + lines, std::memory_order_relaxed);
    if (!file) return;  // turned off: said by the reload
    const TimePoint now = system_clock().now();
    if (complained && now - *complained < complaint_pause) return;
    complained = now;
    std::string where;
    {
        const std::lock_guard lock(mutex);
        where = path;
    }
    log::error("access log {}: {}; {} lines dropped (see scrollgate_access_log_dropped_total)",
               where, std::strerror(error), lines);
}

AccessLog::AccessLog(const config::AccessLog& settings, unsigned workers)
    : impl_(std::make_unique<Impl>(settings, workers)) {}

AccessLog::~AccessLog() = default;

void AccessLog::write(unsigned worker, const ExchangeRecord& record) noexcept {
    const Format format = impl_->format.load(std::memory_order_acquire);
    if (format == Format::off) return;
    // The combined format has no place that tells a fill from a request.
    if (format == Format::combined && record.kind == ExchangeRecord::Kind::fill) return;
    Lane& lane = *impl_->lanes[worker];
    char* const out = lane.ring.reserve(LineFormatter::bound(record));
    if (out == nullptr) {
        const std::uint64_t before = lane.dropped.load(std::memory_order_relaxed);
        lane.dropped.store(before + 1, std::memory_order_relaxed);
        return;
    }
    char* const end = lane.formatter.format(format, record, out);
    lane.ring.publish(static_cast<std::size_t>(end - out));
    if (impl_->asleep.load(std::memory_order_seq_cst) && impl_->asleep.exchange(false)) {
        impl_->wake();
    }
}

void AccessLog::reopen() noexcept {
    impl_->reopen = true;
    impl_->wake();
}

void AccessLog::reconfigure(const config::AccessLog& settings) {
    std::optional<LogFile> next;
    if (settings.format != Format::off) next.emplace(settings.path);
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->path = settings.path;
        impl_->replacement = std::move(next);
        impl_->replaced = true;
    }
    // Behind the order: who writes in the new format is seen behind it, too.
    impl_->format.store(settings.format, std::memory_order_release);
    impl_->wake();
}

std::uint64_t AccessLog::dropped() const noexcept {
    std::uint64_t sum = impl_->lost.load(std::memory_order_relaxed);
    for (const auto& lane : impl_->lanes)
        sum += lane->dropped.load(std::memory_order_relaxed);
    return sum;
}

bool AccessLog::enabled() const noexcept {
    return impl_->format.load(std::memory_order_relaxed) != Format::off;
}

}  // namespace scrollgate
