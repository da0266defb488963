#include "config/quick.hpp"

#include "config/document.hpp"
#include "config/environment.hpp"

namespace scrollgate::config {
namespace {

ValuePtr argument(const std::string& text) {
    return make_scalar(escape_variables(text));
}

}  // namespace

std::string proxy_yaml(const std::string& from, const std::vector<std::string>& to) {
    std::vector<ValuePtr> endpoints;
    for (const std::string& address : to)
        endpoints.push_back(argument(address));
    const ValuePtr pool = make_map({{"endpoints", {}, make_sequence(std::move(endpoints))}});
    const ValuePtr listener = make_map({{"address", {}, argument(from)}});
    const ValuePtr route = make_map({{"pools", {}, make_sequence({make_scalar("origin")})}});
    return render(*make_map({{"listeners", {}, make_sequence({listener})},
                             {"pools", {}, make_map({{"origin", {}, pool}})},
                             {"routes", {}, make_sequence({route})}}));
}

Loaded default_config_for_proxy(const std::string& from, const std::vector<std::string>& to) {
    Loaded loaded = load_text(proxy_yaml(from, to));
    for (Problem& problem : loaded.problems) {
        problem.line = problem.column = 0;
        if (problem.path.starts_with("listeners"))
            problem.path = "--from";
        else if (problem.path.starts_with("pools"))
            problem.path = "--to";
    }
    return loaded;
}

}  // namespace scrollgate::config
