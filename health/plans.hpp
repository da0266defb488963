// From configuration to what probes ask and webhooks tell. Any thread.
#pragma once

#include <string>

#include "balancer/endpoint.hpp"
#include "config/model.hpp"
#include "health/names.hpp"
#include "health/probe.hpp"
#include "health/scaler.hpp"

namespace scrollgate {

/// The check of one endpoint: the pool's Host (`client`: the endpoint's own name), own port.
[[nodiscard]] ProbePlan check_plan(const config::Pool& pool, const config::HealthCheck& check,
                                   const Endpoint& endpoint);
/// The probe of a dependency. HTTP: any status below 500 shows that it is there.
[[nodiscard]] ProbePlan dependency_plan(const config::Dependency& dependency, Names& names);
/// The POST of a webhook, without its content.
[[nodiscard]] ProbePlan webhook_plan(const config::Webhook& webhook, Names& names);
/// {"pool", "wanted", "in_service", "pending", "why"}
[[nodiscard]] std::string webhook_content(const std::string& pool, const ScaleState& scale);

}  // namespace scrollgate
