// What changes about a message on its way through: fields of one hop go, forwarded fields come, the
// route's rules apply. Version-neutral.
#pragma once

#include <optional>
#include <string_view>

#include "core/result.hpp"
#include "proxy/pipeline/exchange.hpp"

namespace scrollgate {

/// Makes x.target and x.request.fields what the origin gets, whichever it will be (Host comes with
/// the attempt). `path` is the normalised path.
[[nodiscard]] std::optional<Error> prepare_request(Exchange& x, std::string_view path);

/// Makes x.response.fields what the client gets, for a 1xx head.
void prepare_interim(Exchange& x);

/// Makes x.response.fields what the client gets. For final heads, local answers included.
void prepare_response(Exchange& x);

/// The Host that an attempt on `endpoint` sends (pools.*.host).
[[nodiscard]] std::string_view host_for(Exchange& x, const Endpoint& endpoint);

}  // namespace scrollgate
