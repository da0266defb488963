// TlsTicketKeys: what session tickets are sealed with (RFC 5077, RFC 8446 4.6.1).
//
// The first key seals; all of them open, so that tickets outlive a rotation. Keys come from a file
// that several nodes share, or are made here and rotated by whoever owns them. Immutable; any
// thread.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/net/tls_certificate.hpp"

namespace scrollgate {

class TlsTicketKeys {
  public:
    struct Key {
        std::array<unsigned char, 16> name;
        std::array<unsigned char, 32> cipher;  ///< AES-256-CBC
        std::array<unsigned char, 32> mac;     ///< HMAC-SHA-256
    };
    static constexpr std::size_t key_bytes = sizeof(Key);
    static constexpr std::size_t most = 16;

    /// Keys from a file: 80 random bytes each (name, cipher, mac), the one that seals first. Null,
    /// and a finding, if the file is not there or has another size.
    [[nodiscard]] static std::shared_ptr<const TlsTicketKeys> load(
        const std::string& file, std::vector<TlsFinding>& findings);
    /// A fresh key, with the newest of `before`, if not null, behind it to open what is out there.
    [[nodiscard]] static std::shared_ptr<const TlsTicketKeys> made(const TlsTicketKeys* before);
    ~TlsTicketKeys();
    TlsTicketKeys(const TlsTicketKeys&) = delete;
    TlsTicketKeys& operator=(const TlsTicketKeys&) = delete;

    [[nodiscard]] const Key& sealing() const noexcept { return keys_.front(); }
    /// The key of that name, 16 bytes; null if it is unknown.
    [[nodiscard]] const Key* find(const unsigned char* name) const noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return keys_.size(); }

  private:
    TlsTicketKeys() = default;
    std::vector<Key> keys_;
};

}  // namespace scrollgate
