// Decoder of the chunked transfer coding with limits (RFC 9112 section 7.1).
//
// Strict: sizes are 1-16 hex digits without sign, white space or underscore; extensions follow the
// grammar, are bounded and dropped; line ends are CRLF. Trailers are kept in the decoder, bounded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/header_list.hpp"

namespace scrollgate::http1 {

class ChunkDecoder {
  public:
    struct Step {
        enum class Kind : std::uint8_t {
            need_more,   ///< all of the input was used, nothing to show for it
            data,        ///< `data` is body content, a view into the input
            done,        ///< the last chunk and the trailer section are complete
            failed,      ///< malformed or beyond a limit; stays failed
        };
        Kind kind = Kind::need_more;
        std::size_t consumed = 0;       ///< bytes of the input that were used
        std::string_view data{};
        const char* detail = "";        ///< static text, when failed
    };

    /// Takes the next step on `input`. Data of one chunk may come in several steps.
    [[nodiscard]] Step next(std::string_view input);

    /// The trailer fields after `done`; views into the decoder. Fields that may not be sent as
    /// trailers (framing, routing, authentication, caching: RFC 9110 6.5.1) are left out.
    [[nodiscard]] const HeaderList& trailers() const noexcept { return trailers_; }

    /// Ready for another body.
    void reset() noexcept;

  private:
    // the helper who writes chunk_decoder.cpp fills this in
    HeaderList trailers_;
};

}  // namespace scrollgate::http1
