#include "config/schema.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "config/environment.hpp"
#include "core/limits.hpp"

namespace scrollgate::config {
namespace {

/// "Without it", variables replaced; what is wrong with these is left to the next reader.
bool is_off(const Value& value) {
    if (!value.is_scalar() || !value.tag.empty()) return false;
    const Parsed<std::string> text = expand_variables(value.text);
    return text.value && (*text.value == "off" || *text.value == "none" || *text.value == "false");
}

}  // namespace

Codec<Duration> duration(Duration least, Duration most, None none) {
    Codec<Duration> codec;
    const bool may_be_none = none == None::allowed;
    codec.type = may_be_none ? "duration or none" : "duration";
    codec.range = fmt::format("{}-{}", duration_text(least), duration_text(most));
    codec.read = [=](Reader& reader, const Value& value, Duration& into) {
        const auto given = reader.scalar(value, "5s");
        if (!given) return;
        if (*given == "none" && may_be_none) {
            into = no_limit;
            return;
        }
        const auto parsed = parse_duration(*given);
        if (!parsed.value) return reader.error(value, parsed.wrong);
        if (*parsed.value < least || *parsed.value > most)
            return reader.error(
                value, fmt::format("{} is out of range; it can be {} to {}{}", quoted(*given),
                                   duration_text(least), duration_text(most),
                                   may_be_none ? ", or none for no limit" : ""));
        into = *parsed.value;
    };
    codec.write = [](const Duration& value) { return make_scalar(duration_text(value)); };
    return codec;
}

Codec<std::uint64_t> size(std::uint64_t least, std::uint64_t most, None none) {
    Codec<std::uint64_t> codec;
    const bool may_be_none = none == None::allowed;
    codec.type = may_be_none ? "size or none" : "size";
    codec.range = fmt::format("{}-{}", size_text(least), size_text(most));
    codec.read = [=](Reader& reader, const Value& value, std::uint64_t& into) {
        const auto given = reader.scalar(value, "64KiB");
        if (!given) return;
        if (*given == "none" && may_be_none) {
            into = limits::unlimited;
            return;
        }
        if (*given == "none")
            return reader.error(value, fmt::format("this limit cannot be none; it can be {} to {}",
                                                   size_text(least), size_text(most)));
        const auto parsed = parse_size(*given);
        if (!parsed.value) return reader.error(value, parsed.wrong);
        if (*parsed.value < least || *parsed.value > most)
            return reader.error(
                value, fmt::format("{} is out of range; it can be {} to {}{}", quoted(*given),
                                   size_text(least), size_text(most),
                                   may_be_none ? ", or none for no limit" : ""));
        into = *parsed.value;
    };
    codec.write = [](const std::uint64_t& value) { return make_scalar(size_text(value)); };
    return codec;
}

Codec<Duration> duration_or_off(Duration least, Duration most, Duration off) {
    Codec<Duration> codec = duration(least, most, None::refused);
    codec.type = "duration or off";
    codec.read = [read = codec.read, off](Reader& reader, const Value& value, Duration& into) {
        if (is_off(value))
            into = off;
        else
            read(reader, value, into);
    };
    codec.write = [off](const Duration& value) {
        return make_scalar(value == off ? "off" : duration_text(value));
    };
    return codec;
}

Codec<std::optional<Duration>> duration_or_none(Duration least, Duration most) {
    const Codec<Duration> span = duration(least, most, None::refused);
    Codec<std::optional<Duration>> codec;
    codec.type = "duration or none";
    codec.range = span.range;
    codec.read = [read = span.read](Reader& reader, const Value& value,
                                    std::optional<Duration>& into) {
        if (is_off(value)) return into.reset();
        Duration given = no_limit;
        read(reader, value, given);
        if (given != no_limit) into = given;
    };
    codec.write = [](const std::optional<Duration>& value) {
        return make_scalar(value ? duration_text(*value) : "none");
    };
    return codec;
}

Codec<std::uint64_t> size_or_off(std::uint64_t most) {
    Codec<std::uint64_t> codec = size(0, most, None::refused);
    codec.type = "size or off";
    codec.read = [read = codec.read](Reader& reader, const Value& value, std::uint64_t& into) {
        if (is_off(value))
            into = 0;
        else
            read(reader, value, into);
    };
    codec.write = [](const std::uint64_t& value) {
        return make_scalar(value == 0 ? "off" : size_text(value));
    };
    return codec;
}

Codec<double> percent(unsigned least) {
    const auto read = [least](std::string_view text) -> Parsed<double> {
        const Parsed<unsigned> given = parse_percent(text);
        if (!given.value) return refuse<double>(given.wrong);
        if (*given.value < least)
            return refuse<double>(
                fmt::format("{} is out of range; it can be {}% to 100%", quoted(text), least));
        return {*given.value / 100.0, {}};
    };
    Codec<double> codec = parsed<double>("percentage", fmt::format("{}%-100%", least), "20%", read);
    codec.write = [](const double& share) {
        return make_scalar(fmt::format("{:.0f}%", share * 100));
    };
    return codec;
}

Codec<double> amount(double most) {
    const auto number = [most](std::string_view text) -> Parsed<double> {
        double given = 0;
        const char* end = text.data() + text.size();
        const auto [stop, failure] =
            std::from_chars(text.data(), end, given, std::chars_format::fixed);
        if (failure != std::errc{} || stop != end || !std::isfinite(given))
            return refuse<double>(
                fmt::format("{} is not a number; write for example 8 or 2.5", quoted(text)));
        if (given < 0.001 || given > most)
            return refuse<double>(
                fmt::format("{} is out of range; it can be 0.001 to {:.0f}", quoted(text), most));
        return {given, {}};
    };
    Codec<double> codec =
        parsed<double>("number", fmt::format("above 0, to {:.0f}", most), "8", number);
    codec.write = [](const double& value) { return make_scalar(fmt::format("{}", value)); };
    return codec;
}

Switch off_or_keys(Reader& reader, const Value& value, std::string_view example) {
    if (!value.is_scalar()) return Switch::keys;
    if (is_off(value)) return Switch::off;
    if (const auto given = reader.scalar(value, "off"))
        reader.error(value, fmt::format("{} is not possible here; write off, or keys such as {}",
                                        quoted(*given), example));
    return Switch::wrong;
}

Codec<bool> on_off() {
    Codec<bool> codec = parsed<bool>("true | false", "", "true", parse_switch);
    codec.write = [](const bool& value) { return make_scalar(value ? "true" : "false"); };
    return codec;
}

ValuePtr text_value(const std::string& value) {
    return make_scalar(escape_variables(value));
}

Codec<std::string> text(std::string type, std::string example,
                        std::string (*wrong)(const std::string&), std::string range) {
    Codec<std::string> codec;
    codec.type = std::move(type);
    codec.range = std::move(range);
    codec.read = [example, wrong](Reader& reader, const Value& value, std::string& into) {
        auto given = reader.scalar(value, example);
        if (!given) return;
        if (has_control(*given))
            return reader.error(value,
                                fmt::format("{} holds a line end or control byte", quoted(*given)));
        if (wrong != nullptr)
            if (std::string objection = wrong(*given); !objection.empty())
                return reader.error(value, std::move(objection));
        into = std::move(*given);
    };
    codec.write = [](const std::string& value) { return text_value(value); };
    return codec;
}

Codec<std::string> unless_empty(Codec<std::string> codec) {
    codec.write = [](const std::string& value) {
        return value.empty() ? nullptr : text_value(value);
    };
    return codec;
}

}  // namespace scrollgate::config
