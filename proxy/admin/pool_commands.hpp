// What operators may do to pools and endpoints: scale, fail, drain. The admin API's words for it
// on one side, a PoolCommand for health on the other.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/http1/beast_server.hpp"
#include "health/scaler.hpp"
#include "health/status.hpp"

namespace scrollgate {

struct PoolCommand {
    enum class Kind : std::uint8_t { scale, fail, unfail, drain, undrain };

    Kind kind = Kind::scale;
    std::string pool;         ///< empty: all of them (scale)
    std::string address;      ///< as in status (drain, undrain)
    ScaleWish wish;           ///< scale
    Duration span{no_limit};  ///< fail; no_limit: until unfail
};

/// What came of it: empty, or why health refuses it; and the status that shows it, never null.
using PoolCommandDone = std::function<void(const std::string& refused, const HealthStatus& status)>;

/// A request as a command, or the error that it gets.
struct ParsedCommand {
    PoolCommand command;
    std::optional<http1::HttpResponse> error;
};

/// `parameters`: of the path (pool, then address); none for a scale of all pools. `body`: JSON, or
/// empty where nothing must be said. Every mistake is told with what would be right.
[[nodiscard]] ParsedCommand parse_command(PoolCommand::Kind kind,
                                          const std::vector<std::string>& parameters,
                                          std::string_view body);

/// 200; 202 for a scale that wants more than there are; 404 with what there is; 400 and 409 with
/// health's reason.
[[nodiscard]] http1::HttpResponse command_answer(const PoolCommand& command,
                                                 const std::string& refused,
                                                 const HealthStatus& status);

}  // namespace scrollgate
