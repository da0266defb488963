// Decoder of the chunked transfer coding with limits (RFC 9112 section 7.1).
//
// Strict: sizes are 1-16 hex digits without sign or white space, and their sum fits 64 bits;
// extensions are `;token`, `;token=token` or `;token="quoted"` without white space, bounded and
// dropped; line ends are CRLF. Trailers are kept in the decoder, bounded. The result does not
// depend on how the input was cut. Bounds: limits.hpp. One worker.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/header_list.hpp"
#include "core/http1/field_section.hpp"

namespace scrollgate::http1 {

class ChunkDecoder {
  public:
    struct Step {
        enum class Kind : std::uint8_t {
            need_more,  ///< all of the input was used, nothing to show for it
            data,       ///< `data` is body content, a view into the input
            done,       ///< the last chunk and the trailer section are complete
            failed,     ///< malformed or beyond a limit; stays failed
        };
        Kind kind = Kind::need_more;
        std::size_t consumed = 0;  ///< bytes of the input that were used
        std::string_view data{};
        const char* detail = "";  ///< static text, when failed
    };

    ChunkDecoder() = default;
    /// Not copied: the trailers point into the decoder.
    ChunkDecoder(const ChunkDecoder&) = delete;
    ChunkDecoder& operator=(const ChunkDecoder&) = delete;

    /// Takes the next step on `input`, which starts behind what the last step consumed. Data of
    /// one chunk may come in several steps. After `done`, steps consume nothing.
    [[nodiscard]] Step next(std::string_view input);

    /// The trailer fields after `done`; views into the decoder, until reset(). Fields that may not
    /// be sent as trailers (trailers.hpp) are left out.
    [[nodiscard]] const HeaderList& trailers() const noexcept { return trailers_; }

    /// Ready for another body. Keeps capacity up to the bounds of trailers.
    void reset() noexcept;

  private:
    /// Where the next byte belongs.
    enum class State : std::uint8_t {
        size,             ///< digits of a chunk's size
        size_lf,          ///< LF behind a size line
        extension_name,   ///< behind ';'
        extension_value,  ///< behind '='
        quoted,           ///< inside of a quoted-string
        escaped,          ///< behind a backslash in it
        quote_closed,     ///< behind its end
        content,          ///< remaining_ bytes of data
        content_cr,
        content_lf,
        trailer,
        done,
        failed,
    };

    [[nodiscard]] const char* take_line_byte(char byte);
    [[nodiscard]] const char* take_size(char byte);
    [[nodiscard]] const char* take_extension(char byte);
    [[nodiscard]] const char* end_element(char byte);
    [[nodiscard]] const char* end_size_line();
    [[nodiscard]] Step take_content(std::string_view input, std::size_t used);
    [[nodiscard]] Step take_trailer(std::string_view input, std::size_t used);
    [[nodiscard]] Step fail(const char* detail) noexcept;
    void collect_trailers();

    State state_ = State::size;
    std::uint8_t digits_ = 0;       ///< of the size being read
    bool in_element_ = false;       ///< an extension name or value has begun
    std::uint32_t line_ = 0;        ///< bytes of the size line so far
    std::uint64_t remaining_ = 0;   ///< size being read, then data bytes still to come
    std::uint64_t total_ = 0;       ///< sum of all sizes
    std::uint64_t extensions_ = 0;  ///< bytes of extensions in the whole body
    const char* detail_ = "";
    std::string trailer_bytes_;  ///< the trailer section as received
    SectionState section_;
    HeaderList trailers_;
};

}  // namespace scrollgate::http1
