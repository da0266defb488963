// Fuzz target: the configuration loader. No text may crash it or escape as an exception, every
// finding has words and a sane place, and what is accepted reads back from its effective form.
#include <string>

#include "config/loader.hpp"
#include "tests/fuzz/fuzz.hpp"

using scrollgate::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace config = scrollgate::config;
    const std::string_view text = scrollgate::fuzz::as_text(data, size);
    const config::Loaded loaded = config::load_text(text);
    for (const config::Problem& problem : loaded.problems) {
        require(!problem.message.empty(), "a finding without words");
        require((problem.line == 0) == (problem.column == 0), "half a place");
        require(problem.line <= size + 1, "a place beyond the file");
        const std::string shown = config::to_text(problem, "f");
        require(shown.find('\n') == std::string::npos, "a finding of several lines");
    }
    if (!loaded.ok()) {
        require(!loaded.problems.empty(), "refused without a reason");
        return 0;
    }
    const std::string effective = config::effective_yaml(loaded.config);
    const config::Loaded again = config::load_text(effective);
    require(again.ok(), "the effective form is refused");
    require(config::effective_yaml(again.config) == effective, "the effective form changes");
    return 0;
}
