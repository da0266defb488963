// The admin API's words for what operators do to the cache: purge, entries, warm, explain.
//
// Each function takes a request that has passed the gate and replies, at once or when it is done.
// Control thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/http1/beast_server.hpp"
#include "proxy/admin/status.hpp"
#include "proxy/caching/cache_desk.hpp"

namespace scrollgate {

/// What a call to the cache has: the desk, the request, the parameters of its path.
struct CacheCall {
    CacheDesk& desk;
    const http1::HttpRequest& request;
    const std::vector<std::string>& parameters;
    const http1::HttpReply& reply;
};

/// POST {"url"|"prefix"|"tag"|"all", "soft"} -> {objects, nodes}, once memory has been given back.
void cache_purge(const CacheCall& call);
/// PUT ?url=&ttl=, the body as it is to be served -> 201 {url, bytes, ttl}.
void cache_put(const CacheCall& call);
/// GET ?url= -> the body, with its Content-Type and Age.
void cache_get(const CacheCall& call);
/// DELETE ?url= -> {objects}; 404 if there was none.
void cache_remove(const CacheCall& call);
/// POST {"urls": […], "rate"} -> 202 {job, total}.
void cache_warm(const CacheCall& call);
/// GET [?seen=N] -> {job, state, total, done, stored, not_stored, failed, rate, troubles};
/// with `seen`, the number of done ones that the caller knows, it waits for news, about a second.
void cache_job(const CacheCall& call);

/// GET ?url=[&header=Name%3A%20value…] -> what explain_url() says, as an object. `status` is the
/// present one.
void cache_explain(const CacheCall& call, const Status& status);

/// The values of `name` in a query, percent-decoded ('+' stands for itself); `known` are all names
/// that may be there. What is wrong goes into `wrong`.
[[nodiscard]] std::vector<std::string> query_parameters(std::string_view query,
                                                        std::string_view name,
                                                        const std::vector<std::string_view>& known,
                                                        std::string& wrong);
/// The same where it may stand once; empty: it is not there.
[[nodiscard]] std::string query_parameter(std::string_view query, std::string_view name,
                                          const std::vector<std::string_view>& known,
                                          std::string& wrong);

}  // namespace scrollgate
