#include "config/diff.hpp"

#include <string_view>

#include <fmt/format.h>

namespace scrollgate::config {
namespace {

class Differences {
  public:
    void compare(std::string_view key, const std::string& was, const std::string& is) {
        if (was != is)
            lines_.push_back(fmt::format("{}: {} stays in force; {} needs a restart of the process",
                                         key, was, is));
    }
    [[nodiscard]] std::vector<std::string> take() { return std::move(lines_); }

  private:
    std::vector<std::string> lines_;
};

std::string workers_text(const Config& config) {
    return config.workers == 0 ? "auto" : fmt::format("{}", config.workers);
}

}  // namespace

std::vector<std::string> not_reloadable(const Config& running, const Config& next) {
    Differences differences;
    differences.compare("workers", workers_text(running), workers_text(next));
    differences.compare("frequency", fmt::format("{}", running.frequency),
                        fmt::format("{}", next.frequency));
    const auto node = [](const Config& c) { return c.self.node.empty() ? "random" : c.self.node; };
    differences.compare("self.node", node(running), node(next));
    if (!running.admin || !next.admin) {
        const auto admin = [](const Config& c) { return c.admin ? c.admin->address : "off"; };
        differences.compare("admin", admin(running), admin(next));
        return differences.take();
    }
    differences.compare("admin.address", running.admin->bind.text(), next.admin->bind.text());
    differences.compare("admin.token_file", running.admin->token_file, next.admin->token_file);
    const auto probes = [](const Admin& a) { return a.probes ? a.probes->text() : "none"; };
    differences.compare("admin.probes", probes(*running.admin), probes(*next.admin));
    return differences.take();
}

}  // namespace scrollgate::config
