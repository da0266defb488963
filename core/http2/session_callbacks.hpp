// Session::Callbacks: what nghttp2 calls while a session is fed or pulled. For session.cpp alone.
#pragma once

#include <nghttp2/nghttp2.h>

#include "core/http2/session.hpp"

namespace scrollgate::http2 {

/// `user` is the session. None throws; each returns what nghttp2's function of its kind does.
struct Session::Callbacks {
    /// Of every session. Throws std::bad_alloc the first time.
    [[nodiscard]] static const nghttp2_session_callbacks* all();
    /// Called for CONTINUATION, too, but for those of a section that nobody wants: see
    /// count_limit in session.cpp.
    static int on_begin_frame(nghttp2_session*, const nghttp2_frame_hd* frame, void* user) noexcept;
    static int on_begin_headers(nghttp2_session* handle, const nghttp2_frame* frame,
                                void* user) noexcept;
    static int on_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name,
                         std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                         std::uint8_t, void* user) noexcept;
    /// Left alone, nghttp2 would drop the field and go on.
    static int on_invalid_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t*,
                                 std::size_t, const std::uint8_t*, std::size_t, std::uint8_t,
                                 void*) noexcept;
    static int on_frame_recv(nghttp2_session*, const nghttp2_frame* frame, void* user) noexcept;
    static int on_data(nghttp2_session* handle, std::uint8_t, std::int32_t id,
                       const std::uint8_t* data, std::size_t size, void* user) noexcept;
    static int on_stream_close(nghttp2_session*, std::int32_t id, std::uint32_t code,
                               void* user) noexcept;
    static int on_invalid_frame(nghttp2_session*, const nghttp2_frame* frame, int error,
                                void* user) noexcept;
    static int on_frame_send(nghttp2_session*, const nghttp2_frame* frame, void* user) noexcept;
    /// The payload goes to where it is sent from, behind room for the frame's head, which
    /// send_data() puts there next. Only what does not fit there takes the way of other frames.
    static ssize_t fill_body(nghttp2_session*, std::int32_t id, std::uint8_t* into,
                             std::size_t size, std::uint32_t* flags, nghttp2_data_source*,
                             void* user) noexcept;
    static int send_data(nghttp2_session*, nghttp2_frame*, const std::uint8_t* head,
                         std::size_t size, nghttp2_data_source*, void* user) noexcept;
};

}  // namespace scrollgate::http2
