#include "bench/load/client_common.hpp"

#include <algorithm>

#include <boost/asio/error.hpp>

#include "core/net/tls_error.hpp"

namespace scrollgate::bench {
namespace {

using namespace std::chrono_literals;
using Way = Connection::Way;

constexpr Duration first_pause = 1ms, longest_pause = 100ms;

Failure connect_failure(const boost::system::error_code& error) noexcept {
    if (error == boost::asio::error::connection_refused) return Failure::refused;
    if (error == boost::asio::error::timed_out) return Failure::connect_timeout;
    return error.category() == tls_category() ? Failure::tls : Failure::connect_failed;
}

}  // namespace

Sample begin_sample(const Job& job) noexcept {
    Sample sample;
    sample.intended = job.intended;
    sample.sent = job.taken;
    sample.method = job.method;
    return sample;
}

void note_head(const ResponseHead& head, LoadWorker& worker, Sample& sample) {
    sample.status = head.status;
    if (const HeaderField* cache = head.fields.find(Field::cache_status))
        sample.cache = cache_result_from(cache->value);
    const std::string& by = worker.plan().by;
    if (by.empty()) return;
    if (const HeaderField* field = head.fields.find(by))
        sample.group = worker.group_of(field->value);
}

Task<std::optional<Failure>> connect(Connection& connection, const SocketAddress& address,
                                     TimePoint until) {
    connection.expire_at(Way::write, until, ErrorKind::connect_timeout);
    const boost::system::error_code error = co_await connection.connect(address);
    if (error) co_return connection.failure() ? Failure::connect_timeout : connect_failure(error);
    connection.expire_at(Way::write, never, ErrorKind::connect_timeout);
    co_return std::nullopt;
}

Failure lost_because(const Connection& connection, Failure otherwise) noexcept {
    if (connection.failure()) return Failure::timeout;
    const boost::system::error_code& broken = connection.broken();
    if (!broken || broken == TlsError::truncated) return otherwise;
    return broken.category() == tls_category() ? Failure::tls : Failure::reset;
}

Backoff::Backoff(LoadWorker& worker) noexcept : worker_(worker), pause_(first_pause) {}

bool Backoff::due_after(const Sample& sample) noexcept {
    const bool shut_out = sample.failure && *sample.failure <= Failure::tls;
    if (!shut_out) pause_ = first_pause;
    return shut_out && !worker_.stopping();
}

void Backoff::begin(std::coroutine_handle<> waiting) {
    waiting_ = waiting;
    worker_.loop().arm(*this, worker_.loop().now() + pause_);
    pause_ = std::min(pause_ * 2, longest_pause);
}

}  // namespace scrollgate::bench
