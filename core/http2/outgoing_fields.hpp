// Field lines on their way into nghttp2; seen only inside core/http2.
//
// Views, which live until the fields were submitted: nghttp2 copies them then, with names in lower
// case (RFC 9113 section 8.2.1). Capacity is kept by clear().
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include <nghttp2/nghttp2.h>

#include "core/message.hpp"

namespace scrollgate::http2 {

class OutgoingFields {
  public:
    void clear() noexcept { lines_.clear(); }
    void add(std::string_view name, std::string_view value, bool indexed = true);
    /// ":status", three digits.
    void add_status(std::uint16_t status);
    /// The fields of a message but those of a connection (section 8.2.2), Host, which is
    /// :authority, and Content-Length, which add_length() makes from `framing`.
    void add(const HeaderList& fields);
    void add_length(const BodyFraming& framing);
    [[nodiscard]] const nghttp2_nv* data() const noexcept { return lines_.data(); }
    [[nodiscard]] std::size_t size() const noexcept { return lines_.size(); }

  private:
    std::vector<nghttp2_nv> lines_;
    std::array<char, 20> length_;
    std::array<char, 3> status_;
};

}  // namespace scrollgate::http2
