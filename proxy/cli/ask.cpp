#include "proxy/cli/ask.hpp"

#include <utility>

#include <fmt/ostream.h>

#include "core/http1/beast_client.hpp"
#include "proxy/admin/token.hpp"

namespace scrollgate {
namespace {

constexpr auto change_timeout = std::chrono::minutes(1);  // large files, regexes to compile

}  // namespace

std::string address_text(const AdminTarget& target) {
    const bool v6 = target.host.find(':') != std::string::npos;
    return fmt::format("{}:{}", v6 ? "[" + target.host + "]" : target.host, target.port);
}

std::string printable(std::string text) {
    for (char& c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    }
    return text;
}

Asked ask(const AdminTarget& target, Question question, const Console& console) {
    http1::ClientRequest request;
    request.method = std::move(question.method);
    request.host = target.host;
    request.port = target.port;
    request.target = std::move(question.path);
    request.body = std::move(question.body);
    if (!request.body.empty()) request.headers.emplace_back("Content-Type", question.type);
    if (question.token_needed) request.timeout = change_timeout;
    const Token token = read_token(target.token_file);
    if (token.error.empty()) {
        request.headers.emplace_back("Authorization", "Bearer " + token.secret);
    } else if (question.token_needed) {
        fmt::print(console.err,
                   "scrollgate: {} (the token is made when scrollgate starts; name "
                   "the file with --token-file, or run as its user)\n",
                   token.error);
        return {};
    }
    http1::ClientAnswer answer = http1::fetch(request);
    if (!answer.error.empty()) {
        fmt::print(console.err,
                   "scrollgate: the admin address {} does not answer: {} (is scrollgate running? "
                   "Name another address with --admin HOST:PORT or a file with -c)\n",
                   address_text(target), answer.error);
        return {};
    }
    if (answer.status == 401) {
        fmt::print(
            console.err, "scrollgate: {} wants its token: {}\n", address_text(target),
            token.error.empty() ? "that in " + target.token_file + " is another one" : token.error);
        return {};
    }
    return {true, answer.status, std::move(answer.body)};
}

int unexpected(const AdminTarget& target, const Asked& asked, const Console& console) {
    fmt::print(console.err, "scrollgate: {} answered {}: {}\n", address_text(target), asked.status,
               asked.body.substr(0, 500));
    return 1;
}

}  // namespace scrollgate
