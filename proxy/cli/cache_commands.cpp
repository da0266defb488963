#include "proxy/cli/cache_commands.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include <boost/json/serialize.hpp>

#include "core/limits.hpp"
#include "proxy/admin/path_pattern.hpp"
#include "proxy/cli/change.hpp"

namespace scrollgate {
namespace {

namespace json = boost::json;
using cli::change;
using cli::number;
using cli::text;

struct TypeOfName {
    std::string_view ending, type;
};
constexpr std::array types{
    TypeOfName{".json", "application/json"},
    TypeOfName{".html", "text/html; charset=utf-8"},
    TypeOfName{".css", "text/css"},
    TypeOfName{".js", "text/javascript"},
    TypeOfName{".svg", "image/svg+xml"},
    TypeOfName{".png", "image/png"},
    TypeOfName{".jpg", "image/jpeg"},
    TypeOfName{".webp", "image/webp"},
    TypeOfName{".txt", "text/plain; charset=utf-8"},
};

std::string type_of(const SetRequest& request) {
    if (!request.type.empty()) return request.type;
    for (const TypeOfName& one : types)
        if (request.file.ends_with(one.ending)) return std::string(one.type);
    return request.value ? "text/plain; charset=utf-8" : "application/octet-stream";
}

/// The bytes of a file or of standard input; tells the console if they cannot be had.
std::optional<std::string> content_of(const std::string& file, const Console& console) {
    if (file == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
    std::error_code unknown;
    const bool folder = std::filesystem::is_directory(file, unknown);
    std::ifstream in(file, std::ios::binary);
    std::string content;
    if (in && !folder) content.assign(std::istreambuf_iterator<char>(in), {});
    if (!in || folder) {
        fmt::print(console.err, "scrollgate: cannot read {}: {}\n", file,
                   std::strerror(folder ? EISDIR : errno));
        return std::nullopt;
    }
    return content;
}

std::string entries_path(const std::string& url, const std::string& ttl = "") {
    return "/api/v1/cache/entries?url=" + path_segment(url) +
           (ttl.empty() ? "" : "&ttl=" + path_segment(ttl));
}

void print_objects(const json::object& answer, const Console& console) {
    const std::uint64_t objects = number(answer, "objects");
    fmt::print(console.out, "{} object{}", objects, objects == 1 ? "" : "s");
    if (answer.contains("nodes")) {
        const std::uint64_t nodes = number(answer, "nodes");
        fmt::print(console.out, ", on {} node{}", nodes, nodes == 1 ? "" : "s");
    }
    fmt::print(console.out, "\n");
}

}  // namespace

int run_cache_get(const AdminTarget& target, const std::string& url, const Console& console) {
    const Asked asked = ask(target, {"GET", entries_path(url)}, console);
    if (!asked.answered) return 1;
    if (asked.status == 200) {
        console.out.write(asked.body.data(), static_cast<std::streamsize>(asked.body.size()));
        console.out << std::flush;
        return 0;
    }
    try {
        cli::print_refusal(asked, console);
    } catch (const std::exception&) {
        return unexpected(target, asked, console);
    }
    return 1;
}

int run_cache_set(const AdminTarget& target, const SetRequest& request, const Console& console) {
    std::optional<std::string> body = request.value;
    if (!body) body = content_of(request.file, console);
    if (!body) return 1;
    Question question{"PUT", entries_path(request.url, request.ttl), std::move(*body)};
    question.type = type_of(request);
    return change(target, std::move(question), console, [&](const json::object& answer) {
        fmt::print(console.out, "{}: {} bytes for {} s\n", text(answer, "url"),
                   number(answer, "bytes"), number(answer, "ttl"));
    });
}

int run_cache_rm(const AdminTarget& target, const std::string& url, const Console& console) {
    return change(target, {"DELETE", entries_path(url)}, console,
                  [&](const json::object& answer) { print_objects(answer, console); });
}

int run_cache_purge(const AdminTarget& target, const PurgeRequest& request,
                    const Console& console) {
    json::object body;
    if (!request.url.empty()) body["url"] = request.url;
    if (!request.prefix.empty()) body["prefix"] = request.prefix;
    if (!request.tag.empty()) body["tag"] = request.tag;
    if (request.all) body["all"] = true;
    body["soft"] = request.soft;
    return change(target, {"POST", "/api/v1/cache/purge", json::serialize(body)}, console,
                  [&](const json::object& answer) { print_objects(answer, console); });
}

}  // namespace scrollgate
