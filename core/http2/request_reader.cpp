#include "core/http2/request_reader.hpp"

#include "core/grpc.hpp"
#include "core/http1/authority.hpp"
#include "core/http1/bytes.hpp"
#include "core/http1/framing.hpp"
#include "core/http1/request_line.hpp"

namespace scrollgate::http2 {
namespace {

Error refusal(ErrorKind kind, const char* detail) {
    return Error{kind, false, {}, detail};
}

/// As long as HTTP/1 takes one.
constexpr std::size_t longest_method = 32;
constexpr std::size_t longest_type = 100;  // Content-Type of a head that is too large

}  // namespace

void RequestReader::begin(RequestHead& head, Arena& arena, std::size_t uri_limit) noexcept {
    head.clear();
    head.version = Version::http2;
    head_ = &head;
    arena_ = &arena;
    uri_limit_ = uri_limit;
    path_ = protocol_ = {};
    cookies_ = 0;
    too_large_ = nullptr;
    scheme_unknown_ = grpc_ = false;
}

void RequestReader::overflow(const char* why, std::string_view name, std::string_view value) {
    too_large_ = why;
    const bool first = head_->fields.find(Field::content_type) == nullptr;
    if (first && name == "content-type" && value.size() <= longest_type)
        head_->fields.add(Field::content_type, arena_->join({value}));
}

void RequestReader::field(std::string_view name, std::string_view value) {
    if (too_large_ != nullptr) return;
    if (name.front() == ':') return pseudo_field(name, value);
    const Field id = field_id(name);
    if (id == Field::cookie) ++cookies_;
    if (id != Field::unknown) {
        const std::string_view kept = arena_->join({value});
        head_->fields.add(id, kept);
    } else {
        const std::string_view kept = arena_->join({name, value});
        head_->fields.add(kept.substr(0, name.size()), kept.substr(name.size()), id);
    }
}

void RequestReader::pseudo_field(std::string_view name, std::string_view value) {
    const std::string_view kept = arena_->join({value});
    if (name == ":method") {
        head_->method_text = kept;
        head_->method = method_from(kept);
    } else if (name == ":path") {
        path_ = kept;
    } else if (name == ":authority") {
        head_->authority = kept;
    } else if (name == ":protocol") {
        protocol_ = kept;
    } else {
        scheme_unknown_ = !equal_no_case(kept, "http") && !equal_no_case(kept, "https");
    }
}

// Crumbs of cookies are one field to everybody else (RFC 9113 section 8.2.3).
void RequestReader::join_cookies() {
    constexpr std::string_view between = "; ";
    std::size_t size = 0;
    for (const HeaderField& field : head_->fields) {
        if (field.id == Field::cookie) size += field.value.size() + between.size();
    }
    char* const joined = arena_->take(size);
    char* at = joined;
    for (const HeaderField& field : head_->fields) {
        if (field.id != Field::cookie) continue;
        at += field.value.copy(at, field.value.size());
        at += between.copy(at, between.size());
    }
    head_->fields.remove(Field::cookie);
    head_->fields.add(Field::cookie, {joined, size - between.size()});
}

Result<void> RequestReader::end(bool last) {
    if (too_large_ != nullptr) return refusal(ErrorKind::header_too_large, too_large_);
    if (cookies_ > 1) join_cookies();
    head_->target = path_.empty() ? head_->authority : path_;
    Result<void> judged = judge_target();
    if (!judged) return judged;
    judged = judge_host();
    if (!judged) return judged;
    const Result<BodyFraming> framing = http1::request_framing(*head_);
    if (!framing) return framing.error();
    head_->body = *framing;
    grpc_ = head_->method == Method::post &&
            grpc::is_content_type(head_->fields.value(Field::content_type));
    if (!protocol_.empty()) {
        head_->body = {};  // what comes is the tunnel's
    } else if (!last && head_->body.kind == BodyFraming::Kind::none) {
        head_->body.kind = BodyFraming::Kind::chunked;
    }
    return Result<void>();
}

Result<void> RequestReader::judge_target() {
    RequestHead& head = *head_;
    if (head.method_text.size() > longest_method)
        return refusal(ErrorKind::bad_request, "method is too long");
    if (!http1::is_token(head.method_text))
        return refusal(ErrorKind::bad_request, "malformed method");
    if (path_.size() > uri_limit_) return refusal(ErrorKind::uri_too_long, "target is too long");
    if (head.method == Method::connect && !protocol_.empty()) {
        head.method = Method::get;  // RFC 8441 section 5: what a handshake of HTTP/1.1 says
        head.method_text = "GET";
    }
    if (head.method == Method::connect || head.method == Method::trace)
        return refusal(ErrorKind::method_refused, "TRACE and CONNECT are not served");
    if (scheme_unknown_) return refusal(ErrorKind::bad_request, "scheme is neither http nor https");
    if (!http1::all_of<http1::target_bytes>(path_))
        return refusal(ErrorKind::bad_request, "byte that no target may hold");
    const bool asterisk = path_ == "*" && head.method == Method::options;
    if (!asterisk && (path_.empty() || path_.front() != '/'))
        return refusal(ErrorKind::bad_request, ":path is no path");
    if (const char* why = http1::split_target(path_, head))
        return refusal(ErrorKind::bad_request, why);
    return Result<void>();
}

// :authority goes before Host, and both say the same (section 8.3.1); user information is none of
// its parts.
Result<void> RequestReader::judge_host() {
    RequestHead& head = *head_;
    const HeaderField* const host = head.fields.find(Field::host);
    if (head.fields.count(Field::host) > 1)
        return refusal(ErrorKind::bad_host, "several Host fields");
    if (head.authority.empty() && host != nullptr) head.authority = host->value;
    if (head.authority.empty()) return refusal(ErrorKind::bad_host, "neither :authority nor Host");
    if (!http1::valid_authority(head.authority))
        return refusal(ErrorKind::bad_host, "malformed :authority");
    if (host != nullptr && !equal_no_case(host->value, head.authority))
        return refusal(ErrorKind::bad_host, "Host differs from :authority");
    return Result<void>();
}

}  // namespace scrollgate::http2
