#include "bench/report/markup.hpp"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "bench/report/plain_text.hpp"

namespace scrollgate::bench {

std::string escaped(std::string_view text) {
    std::string out;
    while (true) {
        const std::size_t line = text.find('\n');
        for (const char c : printable(text.substr(0, line))) {
            switch (c) {
                case '&':
                    out += "&amp;";
                    break;
                case '<':
                    out += "&lt;";
                    break;
                case '>':
                    out += "&gt;";
                    break;
                case '"':
                    out += "&quot;";
                    break;
                case '\'':
                    out += "&#39;";
                    break;
                default:
                    out += c;
            }
        }
        if (line == text.npos) return out;
        out += '\n';
        text.remove_prefix(line + 1);
    }
}

std::string policy_hash(std::string_view text) {
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
    unsigned char base64[4 * ((SHA256_DIGEST_LENGTH + 2) / 3) + 1];
    const int length = EVP_EncodeBlock(base64, digest, SHA256_DIGEST_LENGTH);
    return std::string("sha256-").append(reinterpret_cast<const char*>(base64),
                                         static_cast<std::size_t>(length));
}

}  // namespace scrollgate::bench
