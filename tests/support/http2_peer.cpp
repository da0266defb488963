#include "tests/support/http2_peer.hpp"

#include <stdexcept>

#include <nghttp2/nghttp2.h>

namespace scrollgate::test {
namespace {

std::string as_text(const std::uint8_t* bytes, std::size_t size) {
    return {reinterpret_cast<const char*>(bytes), size};
}

std::vector<nghttp2_nv> lines(const Http2Fields& fields) {
    const auto bytes = [](const std::string& text) {
        return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
    };
    std::vector<nghttp2_nv> all;
    for (const auto& [name, value] : fields)
        all.push_back({bytes(name), bytes(value), name.size(), value.size(), 0});
    return all;
}

void check(long result) {
    if (result < 0) throw std::logic_error(::nghttp2_strerror(static_cast<int>(result)));
}

}  // namespace

std::string http2_frame(std::uint8_t type, std::uint8_t flags, std::int32_t stream,
                        std::string_view payload) {
    std::string out;
    for (const int shift : {16, 8, 0})
        out += static_cast<char>(payload.size() >> shift & 0xff);
    out += static_cast<char>(type);
    out += static_cast<char>(flags);
    for (const int shift : {24, 16, 8, 0})
        out += static_cast<char>(stream >> shift & 0xff);
    return out.append(payload);
}

// RFC 7541 section 6.2.2: literal without indexing, new name; lengths of seven bits and more.
std::string http2_literal_fields(const Http2Fields& fields) {
    std::string out;
    const auto text = [&out](const std::string& what) {
        std::size_t left = what.size();
        if (left < 127) {
            out += static_cast<char>(left);
        } else {
            out += '\x7f';
            for (left -= 127; left >= 128; left >>= 7)
                out += static_cast<char>(0x80 | (left & 0x7f));
            out += static_cast<char>(left);
        }
        out += what;
    };
    for (const auto& [name, value] : fields) {
        out += '\0';
        text(name);
        text(value);
    }
    return out;
}

std::string Http2Peer::Request::operator[](std::string_view name) const {
    for (const auto& [known, value] : fields) {
        if (known == name) return value;
    }
    return {};
}

struct Http2Peer::Callbacks {
    static Http2Peer& self(void* user) { return *static_cast<Http2Peer*>(user); }

    static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                         std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                         std::uint8_t, void* user) {
        self(user).requests[frame->hd.stream_id].fields.emplace_back(as_text(name, name_size),
                                                                     as_text(value, value_size));
        return 0;
    }
    static int on_data(nghttp2_session*, std::uint8_t, std::int32_t stream,
                       const std::uint8_t* bytes, std::size_t size, void* user) {
        self(user).requests[stream].body += as_text(bytes, size);
        return 0;
    }
    static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        Http2Peer& peer = self(user);
        const std::int32_t stream = frame->hd.stream_id;
        if (frame->hd.type == NGHTTP2_RST_STREAM)
            peer.requests[stream].reset = frame->rst_stream.error_code;
        if (frame->hd.type == NGHTTP2_GOAWAY) peer.goaways.push_back(frame->goaway.error_code);
        const bool message = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
        if (message && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
            peer.requests[stream].ended = true;
        return 0;
    }
    static ssize_t read(nghttp2_session* session, std::int32_t stream, std::uint8_t* into,
                        std::size_t size, std::uint32_t* flags, nghttp2_data_source*, void* user) {
        Body& body = self(user).bodies_[stream];
        const std::size_t part = body.bytes.copy(reinterpret_cast<char*>(into), size, body.sent);
        body.sent += part;
        if (body.sent < body.bytes.size()) return static_cast<ssize_t>(part);
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (!body.trailers.empty()) {
            *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
            const std::vector<nghttp2_nv> all = lines(body.trailers);
            check(::nghttp2_submit_trailer(session, stream, all.data(), all.size()));
        }
        return static_cast<ssize_t>(part);
    }
};

Http2Peer::Http2Peer(Settings settings) {
    nghttp2_session_callbacks* callbacks = nullptr;
    check(::nghttp2_session_callbacks_new(&callbacks));
    ::nghttp2_session_callbacks_set_on_header_callback(callbacks, Callbacks::on_header);
    ::nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Callbacks::on_data);
    ::nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Callbacks::on_frame);
    nghttp2_option* option = nullptr;
    check(::nghttp2_option_new(&option));
    ::nghttp2_option_set_no_auto_window_update(option, settings.automatic ? 0 : 1);
    check(::nghttp2_session_server_new2(&session_, callbacks, this, option));
    ::nghttp2_option_del(option);
    ::nghttp2_session_callbacks_del(callbacks);
    const nghttp2_settings_entry entries[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, settings.streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, settings.window}};
    check(::nghttp2_submit_settings(session_, 0, entries, std::size(entries)));
}

Http2Peer::~Http2Peer() {
    ::nghttp2_session_del(session_);
}

void Http2Peer::take(std::string_view bytes) {
    check(::nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                     bytes.size()));
}

std::string Http2Peer::give() {
    std::string out;
    while (true) {
        const std::uint8_t* bytes = nullptr;
        const ssize_t size = ::nghttp2_session_mem_send(session_, &bytes);
        check(size);
        if (size == 0) return out;
        out += as_text(bytes, static_cast<std::size_t>(size));
    }
}

void Http2Peer::head(std::int32_t stream, const Http2Fields& fields, bool last) {
    const std::vector<nghttp2_nv> all = lines(fields);
    check(::nghttp2_submit_headers(session_, last ? NGHTTP2_FLAG_END_STREAM : NGHTTP2_FLAG_NONE,
                                   stream, nullptr, all.data(), all.size(), nullptr));
}

void Http2Peer::respond(std::int32_t stream, const Http2Fields& fields, std::string body,
                        Http2Fields trailers) {
    bodies_[stream] = {std::move(body), 0, std::move(trailers)};
    nghttp2_data_provider provider{};
    provider.read_callback = Callbacks::read;
    const std::vector<nghttp2_nv> all = lines(fields);
    check(::nghttp2_submit_response(session_, stream, all.data(), all.size(), &provider));
}

void Http2Peer::reset(std::int32_t stream, std::uint32_t code) {
    check(::nghttp2_submit_rst_stream(session_, 0, stream, code));
}

void Http2Peer::go_away(std::int32_t last, std::uint32_t code) {
    check(::nghttp2_submit_goaway(session_, 0, last, code, nullptr, 0));
}

void Http2Peer::settings(std::uint32_t streams) {
    const nghttp2_settings_entry entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, streams};
    check(::nghttp2_submit_settings(session_, 0, &entry, 1));
}

void Http2Peer::ping() {
    check(::nghttp2_submit_ping(session_, 0, nullptr));
}

void Http2Peer::consume(std::int32_t stream, std::size_t bytes) {
    check(::nghttp2_session_consume(session_, stream, bytes));
}

}  // namespace scrollgate::test
