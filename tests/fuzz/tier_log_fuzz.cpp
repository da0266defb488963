// Fuzz target: what the reader of the purge log's records makes of any words. The first byte
// chooses whether they are given as they are, or with a version and a check that are right, so that
// all behind them is reached, too. What cannot be read is a purge of everything, which keeps its
// position; what can is written as a record that says the same.
#include <string>
#include <vector>

#include "cache/tier/log_record.hpp"
#include "core/limits.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/support/replies.hpp"

using namespace scrollgate;
using namespace scrollgate::tier;
using scrollgate::fuzz::require;
using test::entry;

namespace {

using Words = std::vector<std::string>;

/// One to a line.
Words words_in(std::string_view input) {
    Words words;
    while (!input.empty()) {
        const std::string_view line = input.substr(0, input.find('\n'));
        words.emplace_back(line);
        input.remove_prefix(std::min(line.size() + 1, input.size()));
    }
    return words;
}

void purge(const Words& words) {
    LogRecord record;
    const Unreadable why = read_purge(entry("9-1", words), record);
    require(record.position == position_of("9-1"), "the position is told, whatever it is");
    if (why != Unreadable::no) {
        require(!record.reset && record.purge.by == Purge::By::all, "it purges everything");
        require(record.purge.what.empty() && !record.purge.soft, "for good");
        return;
    }
    require(record.purge.what.size() <= limits::cache_key, "what is purged is bounded");
    LogRecord again;
    require(read_purge(entry("9-1", words_of(record)), again) == Unreadable::no,
            "it can be written");
    require(again.checked && again.reset == record.reset && again.token == record.token,
            "as the same record");
    if (record.reset) return;
    require(again.purge.by == record.purge.by && again.purge.what == record.purge.what &&
                again.purge.scheme == record.purge.scheme &&
                again.purge.soft == record.purge.soft &&
                again.purge.counted == record.purge.counted,
            "of the same purge");
}

void node(const Words& words) {
    Position position = 0;
    const auto record = read_node(entry("9-1", words), position);
    require(position == position_of("9-1"), "the position is told, whatever it is");
    if (!record) return;
    require(record->covered.size() <= limits::tier_covered, "what it says is bounded");
    const auto again = read_node(entry("9-1", words_of(*record)), position);
    require(again && again->node == record->node && again->followed == record->followed &&
                again->covered.size() == record->covered.size(),
            "it is written as the same");
    for (std::size_t i = 0; i < record->covered.size(); ++i)
        require(again->covered[i].purge == record->covered[i].purge &&
                    again->covered[i].objects == record->covered[i].objects,
                "and so is what it counted");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input = scrollgate::fuzz::as_text(data, size);
    const unsigned choice = scrollgate::fuzz::take_byte(input);
    Words words = words_in(input);
    if (choice % 2 == 1) seal(words);
    purge(words);
    node(words);
    return 0;
}
