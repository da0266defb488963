#include "core/http2/session.hpp"

#include <algorithm>
#include <cassert>
#include <memory>
#include <new>

#include "core/http2/memory.hpp"
#include "core/http2/outgoing_fields.hpp"
#include "core/http2/session_callbacks.hpp"

namespace scrollgate::http2 {
namespace {

struct OptionFreed {
    void operator()(nghttp2_option* made) const noexcept { ::nghttp2_option_del(made); }
};
using OptionOwner = std::unique_ptr<nghttp2_option, OptionFreed>;

/// nghttp2 counts CONTINUATION frames by itself, and a frame once more with every piece of its head
/// that comes alone: a slow peer would break a bound that is meant for frames. So its bound is that
/// of frames whose nine bytes come one by one, after a pause.
constexpr std::size_t count_limit = limits::http2_continuations * 10U;

constexpr std::uint64_t unlimited = std::uint64_t{1} << 32U;

}  // namespace

// ---- life

Session::Session(const SessionOptions& options, Role role) : options_(options), role_(role) {
    nghttp2_option* made = nullptr;
    if (::nghttp2_option_new(&made) != 0) throw std::bad_alloc();
    const OptionOwner option(made);
    ::nghttp2_option_set_no_auto_window_update(made,
                                               options.windows == SessionOptions::Windows::manual);
    ::nghttp2_option_set_no_closed_streams(made, 1);
    ::nghttp2_option_set_max_outbound_ack(made, limits::http2_answers);
    ::nghttp2_option_set_max_continuations(made, count_limit);
    ::nghttp2_option_set_max_send_header_block_length(made, limits::header_bytes_max);
    // FloodWatch counts those, and knows which of them cost something; nghttp2 would end the
    // connection of whoever cancels 33 downloads in a second.
    ::nghttp2_option_set_stream_reset_rate_limit(made, unlimited, unlimited);
    ::nghttp2_option_set_peer_max_concurrent_streams(made, limits::http2_streams);
    ::nghttp2_option_set_builtin_recv_extension_type(made, NGHTTP2_PRIORITY_UPDATE);
    const auto make =
        role == Role::client ? ::nghttp2_session_client_new3 : ::nghttp2_session_server_new3;
    if (make(&handle_, Callbacks::all(), this, made, pooled_memory()) != 0) throw std::bad_alloc();
    announce();
}

Session::~Session() {
    assert(streams_.empty() && "streams end before their session: lost()");
    ::nghttp2_session_del(handle_);
}

/// The preface of section 3.4, to be pulled first. Out of memory shows in the next pull().
void Session::announce() {
    const nghttp2_settings_entry client[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options_.stream_window},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, options_.header_bytes},
    };
    const nghttp2_settings_entry server[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options_.streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options_.stream_window},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, options_.header_bytes},
        {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    const std::span<const nghttp2_settings_entry> settings =
        role_ == Role::client ? std::span<const nghttp2_settings_entry>(client) : server;
    ::nghttp2_submit_settings(handle_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
    ::nghttp2_session_set_local_window_size(handle_, NGHTTP2_FLAG_NONE, 0,
                                            static_cast<std::int32_t>(options_.connection_window));
}

bool Session::over() const noexcept {
    if (broken_) return true;
    return unsent_.empty() && ::nghttp2_session_want_read(handle_) == 0 &&
           ::nghttp2_session_want_write(handle_) == 0;
}

void Session::lost(const boost::system::error_code& cause) noexcept {
    broken_ = true;
    break_all(StreamEnd::lost, cause, "");
}

std::uint32_t Session::peer_streams() const noexcept {
    if (!settled_) return limits::http2_streams;
    return ::nghttp2_session_get_remote_settings(handle_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

bool Session::peer_takes_connect() const noexcept {
    return settled_ && ::nghttp2_session_get_remote_settings(
                           handle_, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1;
}

void Session::ping() noexcept {
    if (!broken_) ::nghttp2_submit_ping(handle_, NGHTTP2_FLAG_NONE, nullptr);
}

void Session::end() noexcept {
    ::nghttp2_submit_goaway(handle_, NGHTTP2_FLAG_NONE,
                            ::nghttp2_session_get_last_proc_stream_id(handle_), NGHTTP2_NO_ERROR,
                            nullptr, 0);
}

// ---- bytes

void Session::feed(std::string_view bytes) noexcept {
    assert(!inside_);
    if (broken_) return;
    inside_ = true;
    const ssize_t taken = ::nghttp2_session_mem_recv(
        handle_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    inside_ = false;
    if (taken < 0) input_broke(static_cast<int>(taken));
}

std::size_t Session::pull(std::span<char> into) noexcept {
    assert(!inside_);
    room_ = into;
    ran_dry_ = held_back_ = false;
    while (!broken_ && !room_.empty()) {
        if (unsent_.empty()) {
            const std::uint8_t* frame = nullptr;
            inside_ = true;
            const ssize_t size = ::nghttp2_session_mem_send(handle_, &frame);
            inside_ = false;
            if (size == 0) break;
            if (size < 0) {
                broken_ = true;
                break_down(::nghttp2_strerror(static_cast<int>(size)));
                break;
            }
            unsent_ = {reinterpret_cast<const char*>(frame), static_cast<std::size_t>(size)};
        }
        const std::size_t part = unsent_.copy(room_.data(), room_.size());
        unsent_.remove_prefix(part);
        room_ = room_.subspan(part);
    }
    return into.size() - room_.size();
}

// ---- streams

SessionStream::~SessionStream() {
    assert(!open() && "a stream that is called lives");
}

SessionStream* Session::stream(std::int32_t id) const noexcept {
    return static_cast<SessionStream*>(::nghttp2_session_get_stream_user_data(handle_, id));
}

bool Session::send_request(SessionStream& stream, const OutgoingFields& fields, bool with_body) {
    nghttp2_data_provider body{};
    body.read_callback = Callbacks::fill_body;
    const std::int32_t id = ::nghttp2_submit_request(handle_, nullptr, fields.data(), fields.size(),
                                                     with_body ? &body : nullptr, &stream);
    if (id < 0) {
        going_away_ = going_away_ || id == NGHTTP2_ERR_STREAM_ID_NOT_AVAILABLE;
        return false;
    }
    attach(stream, id);
    return true;
}

bool Session::send_response(SessionStream& stream, const OutgoingFields& fields, bool with_body) {
    nghttp2_data_provider body{};
    body.read_callback = Callbacks::fill_body;
    stream.given_ = !with_body;
    return ::nghttp2_submit_response(handle_, stream.id_, fields.data(), fields.size(),
                                     with_body ? &body : nullptr) == 0;
}

bool Session::submit_trailers(std::int32_t id, const HeaderList& trailers) noexcept {
    OutgoingFields fields;
    fields.add(trailers);
    return fields.size() > 0 &&
           ::nghttp2_submit_trailer(handle_, id, fields.data(), fields.size()) == 0;
}

void Session::attach(SessionStream& stream, std::int32_t id) {
    stream.session_ = this;
    stream.id_ = id;
    stream.sent_ = stream.answered_ = stream.given_ = false;
    stream.index_ = static_cast<std::uint32_t>(streams_.size());
    streams_.push_back(&stream);
}

void Session::detach(SessionStream& stream) noexcept {
    ::nghttp2_session_set_stream_user_data(handle_, stream.id_, nullptr);
    if (section_.stream == &stream) section_.stream = nullptr;
    streams_[stream.index_] = streams_.back();
    streams_[stream.index_]->index_ = stream.index_;
    streams_.pop_back();
    stream.session_ = nullptr;
}

void Session::break_off(SessionStream& stream, StreamEnd end, const char* detail) noexcept {
    detach(stream);
    stream.broke_off(end, {}, detail);
}

void Session::break_down(const char* fault) noexcept {
    if (fault_ == nullptr) fault_ = fault;
    break_all(StreamEnd::malformed, {}, fault);
}

void Session::break_all(StreamEnd end, const boost::system::error_code& cause,
                        const char* detail) noexcept {
    while (!streams_.empty()) {
        SessionStream& stream = *streams_.back();
        detach(stream);
        stream.broke_off(stream.sent_ ? end : StreamEnd::refused, cause, detail);
    }
}

// Those that have not been sent, too, of which nghttp2 would tell later.
void Session::refuse_beyond(std::int32_t last) noexcept {
    for (std::size_t i = streams_.size(); i-- > 0;) {
        if (i >= streams_.size() || streams_[i]->id_ <= last) continue;
        break_off(*streams_[i], StreamEnd::refused, "GOAWAY");
    }
}

void Session::refuse_message(SessionStream& stream, const char* detail,
                             std::uint32_t code) noexcept {
    submit_reset(stream, code);
    had_to_reset(ResetFor::fault);
    break_off(stream, StreamEnd::malformed, detail);
}

void Session::drop_section(std::int32_t id) noexcept {
    SessionStream* const whose = section_.stream;
    if (whose != nullptr)
        return refuse_message(*whose, "field section is far too large", NGHTTP2_ENHANCE_YOUR_CALM);
    ::nghttp2_submit_rst_stream(handle_, NGHTTP2_FLAG_NONE, id, NGHTTP2_ENHANCE_YOUR_CALM);
    had_to_reset(ResetFor::fault);
}

void Session::section_came(std::int32_t id, bool last) noexcept {
    SessionStream* const whose = section_.stream;
    if (whose == nullptr) return;
    const char* const fault = whose->section_ended(last);
    if (section_.stream != whose) return;  // its owner has called it off
    section_.stream = nullptr;
    if (fault != nullptr) return refuse_message(*whose, fault, NGHTTP2_PROTOCOL_ERROR);
    if (last) message_came(id);
}

void Session::message_came(std::int32_t id) noexcept {
    if (SessionStream* const whose = stream(id)) message_came(*whose);
}

void Session::reset(SessionStream& stream) noexcept {
    assert(stream.session_ == this);
    submit_reset(stream, NGHTTP2_CANCEL);
    detach(stream);
}

void Session::consumed(std::size_t bytes) noexcept {
    if (!broken_) ::nghttp2_session_consume_connection(handle_, bytes);
}

void Session::submit_reset(SessionStream& stream, std::uint32_t code) noexcept {
    ::nghttp2_submit_rst_stream(handle_, NGHTTP2_FLAG_NONE, stream.id_, code);
}

void Session::resume(SessionStream& stream) noexcept {
    assert(stream.session_ == this);
    ::nghttp2_session_resume_data(handle_, stream.id_);
}

bool Session::peer_ended(const SessionStream& stream) const noexcept {
    return ::nghttp2_session_get_stream_remote_close(handle_, stream.id_) != 0;
}

bool Session::we_ended(const SessionStream& stream) const noexcept {
    return ::nghttp2_session_get_stream_local_close(handle_, stream.id_) != 0;
}

bool Session::was_answered(std::int32_t id) const noexcept {
    if (id > ::nghttp2_session_get_last_proc_stream_id(handle_)) return false;
    const SessionStream* const one = stream(id);
    return one == nullptr || one->answered_;
}

void Session::consumed(SessionStream& stream, std::size_t bytes) noexcept {
    assert(stream.session_ == this && options_.windows == SessionOptions::Windows::manual);
    ::nghttp2_session_consume(handle_, stream.id_, bytes);
}

void Session::consumed_of_stream(SessionStream& stream, std::size_t bytes) noexcept {
    assert(stream.session_ == this && options_.windows == SessionOptions::Windows::manual);
    ::nghttp2_session_consume_stream(handle_, stream.id_, bytes);
}

}  // namespace scrollgate::http2
