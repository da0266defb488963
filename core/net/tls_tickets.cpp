#include "core/net/tls_tickets.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

namespace scrollgate {

std::shared_ptr<const TlsTicketKeys> TlsTicketKeys::load(const std::string& file,
                                                         std::vector<TlsFinding>& findings) {
    std::string bytes = read_tls_file(file, "ticket_keys", findings);
    if (bytes.empty()) return nullptr;
    const std::size_t count = bytes.size() / key_bytes;
    std::shared_ptr<TlsTicketKeys> read;
    if (bytes.size() % key_bytes == 0 && count <= most) {
        read.reset(new TlsTicketKeys);
        read->keys_.resize(count);
        std::memcpy(read->keys_.data(), bytes.data(), bytes.size());
    } else {
        findings.push_back(
            {"ticket_keys", fmt::format("'{}' has {} bytes; {} for each of 1 to {} keys are "
                                        "needed: openssl rand {} > {}",
                                        file, bytes.size(), key_bytes, most, key_bytes, file)});
    }
    OPENSSL_cleanse(bytes.data(), bytes.size());
    return read;
}

std::shared_ptr<const TlsTicketKeys> TlsTicketKeys::made(const TlsTicketKeys* before) {
    const std::shared_ptr<TlsTicketKeys> made(new TlsTicketKeys);
    made->keys_.resize(1);
    if (RAND_bytes(reinterpret_cast<unsigned char*>(made->keys_.data()), key_bytes) != 1)
        throw std::runtime_error("OpenSSL has no random bytes for ticket keys");
    if (before != nullptr) made->keys_.push_back(before->sealing());
    return made;
}

TlsTicketKeys::~TlsTicketKeys() {
    OPENSSL_cleanse(keys_.data(), keys_.size() * key_bytes);
}

const TlsTicketKeys::Key* TlsTicketKeys::find(const unsigned char* name) const noexcept {
    const auto found = std::find_if(keys_.begin(), keys_.end(), [&](const Key& key) {
        return std::memcmp(key.name.data(), name, key.name.size()) == 0;
    });
    return found != keys_.end() ? &*found : nullptr;
}

}  // namespace scrollgate
