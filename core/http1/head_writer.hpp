// Serialises message heads into one contiguous block (RFC 9112 section 2.1).
//
// The size is known before the first byte is copied, so writing needs no checks. Lengths are
// written in our own decimal: whatever spelling came in, one reading goes out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/message.hpp"

namespace scrollgate::http1 {

/// Framing and connection fields that this hop adds by itself.
struct HopFields {
    BodyFraming body;
    std::string_view connection;  ///< value of Connection; empty: no such field
    std::string_view upgrade;     ///< value of Upgrade; empty: no such field
};

/// Appends "METHOD TARGET HTTP/1.1", Host, the fields but those that `hop` replaces, and `hop`'s.
void append_request_head(std::string& out, std::string_view method, std::string_view target,
                         std::string_view host, const HeaderList& fields, const HopFields& hop);

/// Appends a status line and fields likewise. 1xx and 204 get no framing fields; 304 and answers to
/// HEAD keep the Content-Length of `body`, if it has one. `lines` are fields that are serialised
/// already ("Name: value\r\n" each, none that `hop` replaces); they go in front.
void append_response_head(std::string& out, std::uint16_t status, std::string_view reason,
                          const HeaderList& fields, const HopFields& hop,
                          std::string_view lines = {});

/// Appends trailer fields and the empty line behind them.
void append_trailers(std::string& out, const HeaderList* trailers);

}  // namespace scrollgate::http1
