#include "bench/drill/pool_failure.hpp"

#include <stdexcept>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "bench/drill/look.hpp"
#include "bench/plan/files.hpp"
#include "bench/plan/url.hpp"
#include "core/http1/beast_client.hpp"

namespace scrollgate::bench {
namespace {

/// The proxy is told at most this long.
constexpr Duration longest = std::chrono::hours(1);

class PoolFailure final : public Breakage {
  public:
    PoolFailure(Origin admin, std::string pool, std::string token, Duration length)
        : admin_(std::move(admin)),
          pool_(std::move(pool)),
          token_(std::move(token)),
          length_(std::min<Duration>(length, longest)) {
        const http1::ClientAnswer answer = ask("GET", "/api/v1/status", "");
        if (!answer.error.empty())
            throw BadInput(fmt::format("--admin {}: {}", admin_.authority, answer.error));
        if (!in_flight_in(answer.body))
            throw BadInput(
                fmt::format("--fail '{}': {} knows no such pool", pool_, admin_.authority));
    }
    ~PoolFailure() override { (void)mend(); }

    std::string what() const override { return "fail pool " + pool_; }

    std::uint64_t strike() override {
        const std::uint64_t found = look_for_requests(
            [this] { return in_flight_in(ask("GET", "/api/v1/status", "").body).value_or(0); });
        const auto length = std::chrono::ceil<std::chrono::milliseconds>(length_);
        const http1::ClientAnswer answer =
            ask("POST", target(), fmt::format(R"({{"for": "{}ms"}})", length.count()));
        failed_ = answer.error.empty() && answer.status < 300;
        if (!failed_)
            throw std::runtime_error(fmt::format(
                "POST {}: {}{}", target(),
                answer.error.empty() ? fmt::format("status {}", answer.status) : answer.error,
                answer.status == 401 || answer.status == 403 ? " (--token-file?)" : ""));
        return found;
    }

    // A proxy that has brought the pool back by itself answers 404 at most.
    bool mend() noexcept override {
        if (!failed_) return true;
        const http1::ClientAnswer answer = ask("DELETE", target(), "");
        failed_ = !answer.error.empty() || (answer.status >= 300 && answer.status != 404);
        return !failed_;
    }

  private:
    [[nodiscard]] std::string target() const { return "/api/v1/pools/" + pool_ + "/fail"; }

    [[nodiscard]] http1::ClientAnswer ask(const char* method, const std::string& path,
                                          const std::string& body) const {
        http1::ClientRequest request;
        request.method = method;
        request.host = admin_.host;
        request.port = admin_.port;
        request.target = path;
        request.body = body;
        if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
        if (!token_.empty()) request.headers.emplace_back("Authorization", "Bearer " + token_);
        return http1::fetch(request);
    }

    /// Requests in flight on the pool's endpoints, if the status names it.
    [[nodiscard]] std::optional<std::uint64_t> in_flight_in(const std::string& status) const {
        try {
            const boost::json::value parsed = boost::json::parse(status);
            for (const boost::json::value& pool : parsed.at("pools").as_array()) {
                if (pool.at("name").as_string() != pool_) continue;
                std::uint64_t sum = 0;
                for (const boost::json::value& endpoint : pool.at("endpoints").as_array())
                    sum += endpoint.at("in_flight").to_number<std::uint64_t>();
                return sum;
            }
        } catch (const std::exception&) {  // not a status: not this pool
        }
        return {};
    }

    const Origin admin_;
    const std::string pool_, token_;
    const Duration length_;
    bool failed_ = false;
};

}  // namespace

std::unique_ptr<Breakage> make_pool_failure(const std::string& admin, const std::string& pool,
                                            const std::string& token_file, Duration length) {
    Origin origin = parse_url(admin).origin;
    if (origin.tls) throw BadInput("--admin: the admin listener speaks http");
    std::string token;
    if (!token_file.empty()) token = read_file(token_file);
    while (token.ends_with('\n') || token.ends_with('\r'))
        token.pop_back();
    return std::make_unique<PoolFailure>(std::move(origin), pool, std::move(token), length);
}

}  // namespace scrollgate::bench
