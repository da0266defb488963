// From configuration to what probes ask and webhooks tell. Any thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "balancer/endpoint.hpp"
#include "config/model.hpp"
#include "health/names.hpp"
#include "health/probe.hpp"
#include "health/scaler.hpp"

namespace scrollgate {

/// Who dependencies and webhooks over TLS have to be, by pool and URL.
using ProbeTargets =
    std::map<std::pair<std::string, std::string>, std::shared_ptr<const TlsTarget>>;

/// The check of one endpoint: the pool's Host (`client`: the endpoint's own name), own port.
[[nodiscard]] ProbePlan check_plan(const config::Pool& pool, const config::HealthCheck& check,
                                   const Endpoint& endpoint);
/// The probe of a dependency; `target` is null where it is plain. HTTP: any status below 500 shows
/// that it is there.
[[nodiscard]] ProbePlan dependency_plan(const config::Dependency& dependency, Names& names,
                                        std::shared_ptr<const TlsTarget> target = nullptr);
/// The POST of a webhook, without its content; `target` likewise.
[[nodiscard]] ProbePlan webhook_plan(const config::Webhook& webhook, Names& names,
                                     std::shared_ptr<const TlsTarget> target = nullptr);
/// {"pool", "wanted", "in_service", "pending", "why"}
[[nodiscard]] std::string webhook_content(const std::string& pool, const ScaleState& scale);

}  // namespace scrollgate
