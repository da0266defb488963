#include "bench/load/body_check.hpp"

#include <array>
#include <string>

#include <fmt/format.h>
#include <openssl/evp.h>

namespace scrollgate::bench {

struct BodyCheck::Digest {
    ~Digest() { ::EVP_MD_CTX_free(context); }
    void begin() { ::EVP_DigestInit_ex(context, ::EVP_sha256(), nullptr); }
    void add(std::string_view bytes) { ::EVP_DigestUpdate(context, bytes.data(), bytes.size()); }
    std::string hex() {
        std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
        unsigned size = 0;
        ::EVP_DigestFinal_ex(context, raw.data(), &size);
        std::string text;
        for (unsigned i = 0; i < size; ++i)
            text += fmt::format("{:02x}", raw[i]);
        return text;
    }
    EVP_MD_CTX* const context = ::EVP_MD_CTX_new();
};

BodyCheck::BodyCheck(const Plan::Expectation& expect)
    : expect_(expect), digest_(expect.sha256.empty() ? nullptr : std::make_unique<Digest>()) {}

BodyCheck::~BodyCheck() = default;

void BodyCheck::begin() {
    length_ = 0;
    if (digest_) digest_->begin();
}

void BodyCheck::add(std::string_view bytes) {
    length_ += bytes.size();
    if (digest_) digest_->add(bytes);
}

std::optional<Failure> BodyCheck::judge(std::uint16_t status, bool bodiless) {
    if (status < expect_.status_from || status > expect_.status_to)
        return Failure::unexpected_status;
    if (bodiless) return {};
    if (expect_.length && *expect_.length != length_) return Failure::wrong_length;
    if (digest_ && digest_->hex() != expect_.sha256) return Failure::wrong_body;
    return {};
}

}  // namespace scrollgate::bench
