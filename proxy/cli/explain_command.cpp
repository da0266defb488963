#include "proxy/cli/explain_command.hpp"

#include <algorithm>
#include <memory>
#include <sstream>

#include "config/loader.hpp"
#include "config/paths.hpp"
#include "proxy/admin/asked_fields.hpp"
#include "proxy/admin/explain.hpp"
#include "proxy/admin/path_pattern.hpp"
#include "proxy/cli/change.hpp"

namespace scrollgate {
namespace {

namespace json = boost::json;

int print_fact(std::string_view name, std::string_view text, const Console& console) {
    if (name == "wrong") {
        fmt::print(console.err, "scrollgate: {}\n", printable(std::string(text)));
        return 1;
    }
    fmt::print(console.out, "{:<10} {}\n", printable(std::string(name)),
               printable(std::string(text)));
    return 0;
}

/// By the file alone.
int explain_file(const std::string& file, const std::string& url, const HeaderList& fields,
                 const Console& console) {
    config::Loaded loaded = config::load_file(file);
    if (!loaded.ok()) {
        for (const config::Problem& problem : loaded.problems)
            fmt::print(console.err, "{}\n", config::to_text(problem, file));
        return 1;
    }
    Metrics metrics(1);
    const Snapshot snapshot(1, std::make_shared<const config::Config>(std::move(loaded.config)),
                            "explain", system_clock().wall(), metrics);
    int result = 0;
    for (const auto& [name, text] : explain_url(snapshot, url, fields, {}))
        result = std::max(result, print_fact(name, text, console));
    if (result == 0)
        static_cast<void>(
            print_fact("seen from", file + " alone: no running scrollgate was reached", console));
    return result;
}

}  // namespace

int run_explain(const TargetOptions& options, const std::string& url,
                const std::vector<std::string>& headers, const Console& console) {
    const AskedFields fields = asked_fields(headers);
    if (!fields.wrong.empty()) return print_fact("wrong", fields.wrong, console);
    std::string path = "/api/v1/cache/explain?url=" + path_segment(url);
    for (const std::string& header : headers)
        path += "&header=" + path_segment(header);
    std::ostringstream unheard;
    const Console quiet{console.out, unheard, console.colour};
    const std::optional<AdminTarget> target = find_target(options, quiet);
    Asked asked;
    if (target) asked = ask(*target, {"GET", path}, quiet);
    if (!asked.answered) {
        const bool named = !options.config_file.empty();
        return explain_file(named ? options.config_file : std::string(config::default_config_file),
                            url, fields.fields, console);
    }
    try {
        if (asked.status != 200) {
            cli::print_refusal(asked, console);
            return 1;
        }
        const json::value answer = json::parse(asked.body);
        for (const auto& fact : answer.as_object())
            static_cast<void>(
                print_fact(fact.key(), std::string(fact.value().as_string()), console));
    } catch (const std::exception&) {
        return unexpected(*target, asked, console);
    }
    return print_fact("seen from", "the running scrollgate at " + address_text(*target), console);
}

}  // namespace scrollgate
