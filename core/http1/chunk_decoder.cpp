// A state machine over single bytes for size lines, whole runs for content and trailers.
#include "core/http1/chunk_decoder.hpp"

#include <algorithm>
#include <limits>

#include "core/http1/bytes.hpp"
#include "core/http1/trailers.hpp"
#include "core/limits.hpp"

namespace scrollgate::http1 {
namespace {

constexpr unsigned longest_size = 16;  // hex digits of 64 bits

int hex_value(char c) noexcept {
    if (is_digit(c)) return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

ChunkDecoder::Step ChunkDecoder::next(std::string_view input) {
    std::size_t used = 0;
    if (state_ == State::done) return {Step::Kind::done};
    if (state_ == State::failed) return fail(detail_);
    while (used < input.size()) {
        if (state_ == State::content) return take_content(input, used);
        if (state_ == State::trailer) return take_trailer(input, used);
        if (const char* why = take_line_byte(input[used++])) return fail(why);
    }
    return {Step::Kind::need_more, used};
}

/// One byte of anything but content and trailers. Returns what is wrong with it, or nullptr.
const char* ChunkDecoder::take_line_byte(char byte) {
    switch (state_) {
        case State::content_cr:
            if (byte != '\r') return "chunk is longer than its size";
            state_ = State::content_lf;
            return nullptr;
        case State::content_lf:
            if (byte != '\n') return "bare CR behind a chunk";
            state_ = State::size;
            return nullptr;
        case State::size_lf:
            if (byte != '\n') return "bare CR in a chunk size line";
            return end_size_line();
        case State::size:
            if (++line_ > limits::chunk_line + 1) return "chunk size line is too long";
            return take_size(byte);
        default:
            // the CR is not part of the line's length
            if (++line_ > limits::chunk_line + 1) return "chunk size line is too long";
            return take_extension(byte);
    }
}

const char* ChunkDecoder::take_size(char byte) {
    if (const int value = hex_value(byte); value >= 0) {
        if (++digits_ > longest_size) return "chunk size has too many digits";
        remaining_ = remaining_ << 4 | static_cast<std::uint64_t>(value);
        return nullptr;
    }
    if (digits_ == 0) return "chunk without a size";
    in_element_ = true;
    return end_element(byte);
}

const char* ChunkDecoder::take_extension(char byte) {
    if (++extensions_ > limits::chunk_overhead) return "too many chunk extensions";
    switch (state_) {
        case State::quoted:
            if (byte == '"') {
                state_ = State::quote_closed;
            } else if (byte == '\\') {
                state_ = State::escaped;
            } else if (!value_bytes.has(byte)) {
                return "control byte in a chunk extension";
            }
            return nullptr;
        case State::escaped:
            state_ = State::quoted;
            return value_bytes.has(byte) ? nullptr : "control byte in a chunk extension";
        case State::quote_closed:
            return end_element(byte);
        case State::extension_value:
            if (byte == '"' && !in_element_) {
                state_ = State::quoted;
                in_element_ = true;
                return nullptr;
            }
            [[fallthrough]];
        default:
            if (!token_bytes.has(byte)) return end_element(byte);
            in_element_ = true;
            return nullptr;
    }
}

/// A byte behind a size, an extension's name or its value.
const char* ChunkDecoder::end_element(char byte) {
    if (!in_element_) return "malformed chunk extension";
    if (byte == '\r') {
        state_ = State::size_lf;
    } else if (byte == ';') {
        if (state_ == State::size) ++extensions_;
        state_ = State::extension_name;
    } else if (byte == '=' && state_ == State::extension_name) {
        state_ = State::extension_value;
    } else {
        return "malformed chunk size line";
    }
    in_element_ = false;
    return nullptr;
}

const char* ChunkDecoder::end_size_line() {
    if (remaining_ > std::numeric_limits<std::uint64_t>::max() - total_) {
        return "chunk sizes exceed 64 bits";
    }
    total_ += remaining_;
    state_ = remaining_ == 0 ? State::trailer : State::content;
    line_ = 0;
    digits_ = 0;
    return nullptr;
}

ChunkDecoder::Step ChunkDecoder::take_content(std::string_view input, std::size_t used) {
    const std::size_t size =
        static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input.size() - used));
    remaining_ -= size;
    if (remaining_ == 0) state_ = State::content_cr;
    return {Step::Kind::data, used + size, input.substr(used, size)};
}

ChunkDecoder::Step ChunkDecoder::take_trailer(std::string_view input, std::size_t used) {
    const std::size_t before = trailer_bytes_.size();
    const std::size_t room = limits::trailer_bytes - before;
    trailer_bytes_.append(input.substr(used, room));
    const SectionResult result = read_fields(trailer_bytes_, section_, limits::trailers, trailers_);
    switch (result.status) {
        case SectionStatus::complete:
            break;
        case SectionStatus::need_more:
            if (trailer_bytes_.size() >= limits::trailer_bytes) return fail("trailers too long");
            return {Step::Kind::need_more, input.size()};
        default:
            return fail(result.detail);
    }
    used += section_.at - before;
    trailer_bytes_.resize(section_.at);
    collect_trailers();
    state_ = State::done;
    return {Step::Kind::done, used};
}

/// Reads the complete section once more, now that it no longer moves, and keeps what may pass.
void ChunkDecoder::collect_trailers() {
    trailers_.clear();
    section_ = {};
    // cannot fail: the same bytes were read before
    static_cast<void>(read_fields(trailer_bytes_, section_, limits::trailers, trailers_));
    trailers_.remove_if([](const HeaderField& field) { return !may_be_trailer(field); });
}

ChunkDecoder::Step ChunkDecoder::fail(const char* detail) noexcept {
    state_ = State::failed;
    detail_ = detail;
    trailers_.clear();
    return {Step::Kind::failed, 0, {}, detail};
}

void ChunkDecoder::reset() noexcept {
    state_ = State::size;
    digits_ = 0;
    in_element_ = false;
    line_ = 0;
    remaining_ = total_ = extensions_ = 0;
    detail_ = "";
    trailer_bytes_.clear();
    section_ = {};
    trailers_.clear();
}

}  // namespace scrollgate::http1
