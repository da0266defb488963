#include "proxy/caching/explain_fields.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "proxy/admin/explain.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {
namespace {

constexpr std::string_view field_name_ = "X-Scrollgate-Explain";

/// One field: "X-Scrollgate-Explain: key partition all, …". What no field may hold is blotted out.
void add(Exchange& x, HeaderList& fields, std::string_view name, std::string_view text) {
    std::string line = fmt::format("{} {}", name, text);
    std::replace_if(
        line.begin(), line.end(),
        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
    fields.add(field_name_, x.arena.join({line}));
}

std::string vary_text(const CacheEntry& entry) {
    std::string lines(entry.vary());
    while (lines.ends_with('\n'))
        lines.pop_back();
    std::replace(lines.begin(), lines.end(), '\n', ',');
    return lines.empty() ? "nothing: one variant for all" : lines;
}

}  // namespace

bool wants_explanation(const Exchange& x) noexcept {
    if (!x.client->trusted) return false;
    const HeaderField* const asked = x.request.fields.find(field_name_);
    return asked != nullptr && asked->value == "1";
}

void add_explanation(Exchange& x, std::string_view status, HeaderList& fields) {
    const CacheDecision& decision = x.cache;
    add(x, fields, "route", x.route->route->name);
    add(x, fields, "key",
        decision.key.text.empty() ? std::string("none") : key_text(decision.key.text));
    if (decision.entry && !decision.entry->is_marker()) {
        add(x, fields, "vary", vary_text(*decision.entry));
        add(x, fields, "freshness",
            freshness_text(decision.entry->freshness(), x.worker.loop().now()));
    }
    const bool hit = decision.reason == CacheReason::none;
    std::string why(hit ? "it is stored, and fresh" : sentence(decision.reason));
    if (decision.storing != CacheReason::none)
        why += fmt::format("; what came is not stored: {}", sentence(decision.storing));
    add(x, fields, "answer", fmt::format("{}: {}", status, why));
}

}  // namespace scrollgate
