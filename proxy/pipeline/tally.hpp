// What an attempt leaves behind: counts, metrics, and evidence for health.
#pragma once

#include "core/result.hpp"
#include "proxy/pipeline/exchange.hpp"

namespace scrollgate {

/// Why an attempt is made.
enum class AttemptReason : std::uint8_t { first, again, beside };

/// An attempt on `endpoint` begins.
void begin_attempt(Exchange& x, const Endpoint& endpoint, AttemptReason reason) noexcept;

/// It has given this final head after `took`. A 5xx speaks against it, and so does a gRPC call that
/// is turned down with a status that the route asks elsewhere for.
void answered(Exchange& x, const Endpoint& endpoint, const ResponseHead& head, Duration took);

/// It has lasted `took` and is far from usual; once per attempt.
void overdue(Exchange& x, const Endpoint& endpoint, Duration took);

/// What is known of an attempt beside the error that it ended with.
struct AttemptSigns {
    bool overdue = false;  ///< overdue() was called for it
    bool spent = false;    ///< OriginEnd::spent()
};

/// It has ended without a head, after `took`.
void end_attempt(Exchange& x, const Endpoint& endpoint, const Error& why, Duration took,
                 AttemptSigns signs = {});

/// It has ended after its head, which took `took`; `delivered` tells whether the rest came, too.
void end_answered(Exchange& x, const Endpoint& endpoint, const Result<void>& delivered,
                  Duration took);

}  // namespace scrollgate
