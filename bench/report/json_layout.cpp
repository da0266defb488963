#include "bench/report/json_layout.hpp"

#include <cassert>
#include <cmath>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace scrollgate::bench {
namespace {

using boost::json::value;

constexpr std::size_t line_width = 120, step = 2;

std::string double_text(double number) {
    assert(std::isfinite(number));
    std::string text = fmt::format("{}", number);
    if (text.find_first_of(".e") == text.npos) text += ".0";
    return text;
}

std::string flat(const value& item) {
    std::string out;
    if (const auto* object = item.if_object()) {
        for (const auto& entry : *object)
            out += (out.empty() ? "" : ", ") + boost::json::serialize(entry.key()) + ": " +
                   flat(entry.value());
        return "{" + out + "}";
    }
    if (const auto* array = item.if_array()) {
        for (const value& element : *array)
            out += (out.empty() ? "" : ", ") + flat(element);
        return "[" + out + "]";
    }
    const double* number = item.if_double();
    return number != nullptr ? double_text(*number) : boost::json::serialize(item);
}

/// `used`: columns that are taken already on the line where `item` begins.
std::string laid_out(const value& item, std::size_t indent, std::size_t used) {
    std::string line = flat(item);
    if (!item.is_structured() || used + line.size() < line_width) return line;
    const std::string margin = "\n" + std::string(indent + step, ' ');
    std::string out;
    const auto add = [&](std::string name, const value& element) {
        out += (out.empty() ? "" : ",") + margin + name;
        out += laid_out(element, indent + step, indent + step + name.size());
    };
    if (const auto* object = item.if_object()) {
        for (const auto& entry : *object)
            add(boost::json::serialize(entry.key()) + ": ", entry.value());
    } else {
        for (const value& element : item.get_array())
            add({}, element);
    }
    const std::string end = "\n" + std::string(indent, ' ');
    return item.is_object() ? "{" + out + end + "}" : "[" + out + end + "]";
}

}  // namespace

std::string json_layout(const value& value) {
    return laid_out(value, 0, 0) + "\n";
}

}  // namespace scrollgate::bench
