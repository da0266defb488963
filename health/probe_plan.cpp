#include "health/probe_plan.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace scrollgate {
namespace {

/// This process or machine has run out of something.
bool our_own(const boost::system::error_code& error) {
    namespace errc = boost::system::errc;
    return error == errc::too_many_files_open || error == errc::too_many_files_open_in_system ||
           error == errc::no_buffer_space || error == errc::not_enough_memory ||
           error == errc::address_not_available;
}

}  // namespace

ProbeResult judge_status(const ProbePlan& plan, std::uint16_t status) {
    const bool passes = std::any_of(plan.expect.begin(), plan.expect.end(), [&](const auto& range) {
        return range.first <= status && status <= range.last;
    });
    if (passes) return {true, {}};
    return {false, fmt::format("status {}", status)};
}

ProbeResult judge_body(const ProbePlan& plan, const std::string& start) {
    if (start.find(plan.body) != std::string::npos) return {true, {}};
    return {false, fmt::format("its body lacks \"{}\"", plan.body)};
}

ProbeResult not_connected(const Connection& connection, const boost::system::error_code& error) {
    if (connection.failure()) return cut_short(connection);
    return {false, fmt::format("connect: {}", error.message()), our_own(error)};
}

ProbeResult cut_short(const Connection& connection) {
    const auto failure = connection.failure();
    if (failure && *failure == ErrorKind::upstream_timeout) return {false, "timeout"};
    const boost::system::error_code& broken = connection.broken();
    if (broken) return {false, broken.message(), our_own(broken)};
    if (connection.starved()) return {false, "out of buffers", true};
    return {false, "connection closed"};
}

}  // namespace scrollgate
