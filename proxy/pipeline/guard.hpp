// The guard: what is refused before anything is looked up or forwarded, for every HTTP version.
#pragma once

#include <string_view>

#include "core/result.hpp"
#include "proxy/pipeline/exchange.hpp"

namespace scrollgate {

/// Checks body size, Expect, the hop count in Via; gives the exchange its client address and
/// request id; returns the normalised path ("*" for OPTIONS *). Needs x.snapshot, x.client,
/// x.request.
[[nodiscard]] Result<std::string_view> guard(Exchange& x);

/// The address is in one of trusted_proxies.
[[nodiscard]] bool is_trusted(const config::Config& config, const SocketAddress& address) noexcept;

/// Fills in the part of the record that is known once the head was parsed, and the request id. What
/// the request says of a client's certificate is true afterwards, and fields that Connection names
/// and those with underscores (of gRPC calls, that read as one of ours) are gone: nobody is routed
/// by, nor anything stored under, what no origin sees. Also for requests that are refused before
/// guard().
void identify(Exchange& x);

}  // namespace scrollgate
