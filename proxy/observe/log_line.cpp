#include "proxy/observe/log_line.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <string_view>

#include "proxy/observe/log_text.hpp"

namespace scrollgate {
namespace {

using namespace std::string_view_literals;

// Every text of a line that a peer or a configuration chose.
constexpr std::size_t texts = 14;
constexpr std::size_t fixed_part = 1024;  // keys, quotes, numbers, date
static_assert(fixed_part + texts * log_text_max <= LineFormatter::max_line);

// With a size known at compile time this is one or two stores.
template <std::size_t N>
char* literal(char* out, const char (&text)[N]) noexcept {
    std::memcpy(out, text, N - 1);
    return out + (N - 1);
}

char* plain(char* out, std::string_view text) noexcept {
    std::memcpy(out, text.data(), text.size());
    return out + text.size();
}

char* number(char* out, std::uint64_t value) noexcept {
    return std::to_chars(out, out + 20, value).ptr;
}

char* digits2(char* out, unsigned value) noexcept {
    out[0] = static_cast<char>('0' + value / 10);
    out[1] = static_cast<char>('0' + value % 10);
    return out + 2;
}

char* digits3(char* out, unsigned value) noexcept {
    out[0] = static_cast<char>('0' + value / 100);
    return digits2(out + 1, value % 100);
}

// Milliseconds with three decimals; null below zero.
char* milliseconds(char* out, Duration span) noexcept {
    if (span < Duration::zero()) return literal(out, "null");
    const auto micros = static_cast<std::uint64_t>(span.count()) / 1000;
    out = number(out, micros / 1000);
    *out++ = '.';
    return digits3(out, static_cast<unsigned>(micros % 1000));
}

// A JSON string, or null if empty.
char* text(char* out, std::string_view value) noexcept {
    if (value.empty()) return literal(out, "null");
    *out++ = '"';
    out = write_json_text(out, value);
    *out++ = '"';
    return out;
}

char* quoted(char* out, std::string_view value) noexcept {
    *out++ = '"';
    out = value.empty() ? literal(out, "-") : write_quoted_text(out, value);
    *out++ = '"';
    return out;
}

std::string_view protocol(Version version) noexcept {
    switch (version) {
        case Version::http10:
            return "HTTP/1.0";
        case Version::http11:
            return "HTTP/1.1";
        case Version::http2:
            return "HTTP/2.0";
    }
    return "HTTP/1.1";
}

std::string_view version_json(Version version) noexcept {
    switch (version) {
        case Version::http10:
            return "\"1.0\"";
        case Version::http11:
            return "\"1.1\"";
        case Version::http2:
            return "\"2\"";
    }
    return "null";
}

}  // namespace

std::size_t LineFormatter::bound(const ExchangeRecord& r) noexcept {
    const auto most = [](std::string_view value) {
        return std::min(6 * value.size(), log_text_max);
    };
    std::size_t size = fixed_part + most(r.client) + most(r.method) + most(r.host) + most(r.path) +
                       most(r.referer) + most(r.user_agent) + most(r.request_id) +
                       most(r.route_name) + most(r.cache_status) + most(r.outcome);
    if (r.endpoint != nullptr) {
        const Endpoint& e = *r.endpoint;
        size += most(e.text) + most(e.pool) + most(e.provider) + most(e.region);
    }
    return size;
}

char* LineFormatter::format(config::AccessLog::Format format, const ExchangeRecord& record,
                            char* out) noexcept {
    const auto since = record.wall.time_since_epoch();
    const std::int64_t second = std::chrono::floor<std::chrono::seconds>(since).count();
    if (second != second_) date(second);
    return format == config::AccessLog::Format::combined ? combined(record, out)
                                                         : json(record, out);
}

void LineFormatter::date(std::int64_t second) noexcept {
    using namespace std::chrono;
    static constexpr char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const sys_seconds time{seconds(second)};
    const sys_days day = floor<days>(time);
    const year_month_day ymd{day};
    const hh_mm_ss clock{time - day};
    const auto year = static_cast<unsigned>(std::clamp(static_cast<int>(ymd.year()), 0, 9999));
    const auto month = static_cast<unsigned>(ymd.month());
    char time_text[8];
    char* at = digits2(time_text, static_cast<unsigned>(clock.hours().count()));
    *at++ = ':';
    at = digits2(at, static_cast<unsigned>(clock.minutes().count()));
    *at++ = ':';
    digits2(at, static_cast<unsigned>(clock.seconds().count()));

    at = digits2(digits2(rfc3339_, year / 100), year % 100);
    *at++ = '-';
    at = digits2(at, month);
    *at++ = '-';
    at = digits2(at, static_cast<unsigned>(ymd.day()));
    *at++ = 'T';
    std::memcpy(at, time_text, 8);

    apache_[0] = '[';
    at = digits2(apache_ + 1, static_cast<unsigned>(ymd.day()));
    *at++ = '/';
    at = plain(at, {months + 3 * (month - 1), 3});
    *at++ = '/';
    at = digits2(digits2(at, year / 100), year % 100);
    *at++ = ':';
    at = plain(at, {time_text, 8});
    literal(at, " +0000]");
    second_ = second;
}

char* LineFormatter::json(const ExchangeRecord& r, char* out) noexcept {
    const Endpoint* e = r.endpoint;
    const auto fraction = r.wall.time_since_epoch() - std::chrono::seconds(second_);
    out = literal(out, "{\"time\":\"");
    out = plain(out, {rfc3339_, 19});
    *out++ = '.';
    out = digits3(out, static_cast<unsigned>(fraction / std::chrono::milliseconds(1)));
    out = literal(out, "Z\",");
    if (r.kind == ExchangeRecord::Kind::fill) out = literal(out, "\"kind\":\"fill\",");
    out = text(literal(out, "\"client\":"), r.client);
    out = text(literal(out, ",\"method\":"), r.method);
    out = text(literal(out, ",\"host\":"), r.host);
    out = text(literal(out, ",\"path\":"), r.path);
    out = plain(literal(out, ",\"version\":"), r.path.empty() ? "null"sv : version_json(r.version));
    out = literal(out, ",\"status\":");
    out = r.status == 0 ? literal(out, "null") : number(out, r.status);
    if (r.grpc) out = plain(literal(out, ",\"grpc_status\":"), grpc::digits(*r.grpc));
    out = number(literal(out, ",\"bytes_in\":"), r.bytes_in);
    out = number(literal(out, ",\"bytes_out\":"), r.bytes_out);
    out = milliseconds(literal(out, ",\"duration_ms\":"),
                       std::max(r.ended - r.started, Duration::zero()));
    out = text(literal(out, ",\"route\":"), r.route == ExchangeRecord::npos ? ""sv : r.route_name);
    out = text(literal(out, ",\"upstream\":"), e != nullptr ? e->text : ""sv);
    out = text(literal(out, ",\"pool\":"), e != nullptr ? e->pool : ""sv);
    out = text(literal(out, ",\"provider\":"), e != nullptr ? e->provider : ""sv);
    out = text(literal(out, ",\"region\":"), e != nullptr ? e->region : ""sv);
    out = number(literal(out, ",\"attempts\":"), r.attempts);
    out = milliseconds(literal(out, ",\"connect_ms\":"), r.connect);
    out = milliseconds(literal(out, ",\"first_byte_ms\":"), r.first_byte);
    out = text(literal(out, ",\"cache\":"), r.cache_status);
    out = text(literal(out, ",\"outcome\":"), r.outcome);
    out = text(literal(out, ",\"request_id\":"), r.request_id);
    out = text(literal(out, ",\"referer\":"), r.referer);
    out = text(literal(out, ",\"user_agent\":"), r.user_agent);
    return literal(out, "}\n");
}

char* LineFormatter::combined(const ExchangeRecord& r, char* out) noexcept {
    out = r.client.empty() ? literal(out, "-") : write_quoted_text(out, r.client);
    out = plain(literal(out, " - - "), {apache_, 28});
    *out++ = ' ';
    if (r.path.empty()) {
        out = quoted(out, "");
    } else {
        *out++ = '"';
        out = write_quoted_text(out, r.method);
        *out++ = ' ';
        out = write_quoted_text(out, r.path);
        *out++ = ' ';
        out = plain(out, protocol(r.version));
        *out++ = '"';
    }
    *out++ = ' ';
    out = r.status == 0 ? literal(out, "-") : number(out, r.status);
    *out++ = ' ';
    out = r.bytes_out == 0 ? literal(out, "-") : number(out, r.bytes_out);
    *out++ = ' ';
    out = quoted(out, r.referer);
    *out++ = ' ';
    out = quoted(out, r.user_agent);
    *out++ = '\n';
    return out;
}

}  // namespace scrollgate
