// What one origin of the demo answers: pages, metadata, files, and paths that misbehave on demand.
//
// A Site is one cloud's; it sees a request and gives an answer with the time it should take. It
// knows nothing of sockets and timers. One thread; no locks.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/http1/beast_server.hpp"

namespace scrollgate::demo {

struct Answer {
    http1::HttpResponse response;
    std::chrono::milliseconds extra{0};  ///< beyond the cloud's own latency; 0-60 s
};

/// The bodies under /files/: the same for all clouds, made when first asked for and then kept.
class FileShelf {
  public:
    /// A file's bytes by its name ("16k.bin"), or nothing if there is none.
    [[nodiscard]] std::shared_ptr<const std::string> find(std::string_view name);

  private:
    std::map<std::string, std::shared_ptr<const std::string>, std::less<>> made_;
};

class Site {
  public:
    /// `provider` is what X-Cloud says. The shelf outlives the site.
    Site(std::string provider, std::string region, FileShelf& files);

    /// The answer to any request, unknown paths included. Every answer carries X-Cloud.
    [[nodiscard]] Answer answer(const http1::HttpRequest& request);

  private:
    [[nodiscard]] Answer route(const http1::HttpRequest& request);
    [[nodiscard]] http1::HttpResponse welcome() const;
    [[nodiscard]] http1::HttpResponse metadata(const http1::HttpRequest& request) const;
    [[nodiscard]] http1::HttpResponse file(const http1::HttpRequest& request);
    [[nodiscard]] http1::HttpResponse fail(const http1::HttpRequest& request);

    std::string provider_, region_;
    FileShelf& files_;
    double failing_ = 0.0;  // sum of the shares asked for, since the last failure
};

}  // namespace scrollgate::demo
