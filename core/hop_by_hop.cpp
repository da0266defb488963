// One pass when nothing unusual is named: ids are tested against a set that is one word.
#include "core/hop_by_hop.hpp"

#include <array>
#include <cstdint>

#include "core/dash_form.hpp"
#include "core/text.hpp"

namespace scrollgate {
namespace {

constexpr std::uint64_t bit(Field id) {
    return std::uint64_t{1} << static_cast<unsigned>(id);
}
static_assert(static_cast<unsigned>(Field::x_scrollgate_explain) < 64, "a set of ids is one word");

constexpr std::uint64_t hop_only = bit(Field::connection) | bit(Field::keep_alive) |
                                   bit(Field::proxy_connection) | bit(Field::proxy_authenticate) |
                                   bit(Field::proxy_authorization) | bit(Field::te) |
                                   bit(Field::transfer_encoding) | bit(Field::upgrade) |
                                   bit(Field::http2_settings) | bit(Field::x_scrollgate_explain);

/// What origins may believe because it comes from us.
constexpr std::uint64_t ours =
    bit(Field::content_length) | bit(Field::expect) | bit(Field::forwarded) |
    bit(Field::grpc_status) | bit(Field::grpc_timeout) | bit(Field::host) | bit(Field::trailer) |
    bit(Field::via) | bit(Field::x_forwarded_for) | bit(Field::x_forwarded_host) |
    bit(Field::x_forwarded_proto) | bit(Field::x_real_ip) | bit(Field::x_request_id);

bool begins(std::string_view name, std::string_view prefix) noexcept {
    return equal_no_case(name.substr(0, prefix.size()), prefix);
}

/// The names in Connection that would take a field with them.
class NamedFields {
  public:
    explicit NamedFields(const HeaderList& fields) noexcept {
        for (const HeaderField& field : fields) {
            if (field.id == Field::connection) collect(field.value);
        }
    }
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    /// A Connection field takes `field` with it.
    [[nodiscard]] bool take(const HeaderField& field) const noexcept {
        if (field.id != Field::unknown) return false;
        for (std::size_t i = 0; i < count_; ++i) {
            if (equal_no_case(names_[i], field.name)) return true;
        }
        return false;
    }

  private:
    void collect(std::string_view connection) noexcept {
        for_each_option(connection, [this](std::string_view option) {
            if (seen_++ >= connection_options) return;
            if (equal_no_case(option, "close") || field_id(option) != Field::unknown) return;
            if (begins(option, "content-") || begins(option, "x-forwarded-")) return;
            if (equal_no_case(option, client_subject_name)) return;
            names_[count_++] = option;
        });
    }

    std::array<std::string_view, connection_options> names_;
    std::size_t count_ = 0;
    std::size_t seen_ = 0;
};

/// h2c is not offered by this hop, and a tunnel to an origin that speaks it would carry requests
/// past every rule.
bool names_h2c(std::string_view protocols) {
    while (!protocols.empty()) {
        if (equal_no_case(pop_first_in_list(protocols).substr(0, 3), "h2c")) return true;
    }
    return false;
}

}  // namespace

bool asks_for_upgrade(const RequestHead& request) {
    if (request.version != Version::http11 || request.body.has_body()) return false;
    if (request.fields.count(Field::upgrade) != 1) return false;
    if (names_h2c(request.fields.value(Field::upgrade))) return false;
    for (const HeaderField& field : request.fields) {
        if (field.id != Field::connection) continue;
        std::string_view rest = field.value;
        while (!rest.empty()) {
            if (equal_no_case(pop_first_in_list(rest), "upgrade")) return true;
        }
    }
    return false;
}

bool ends_at_hop(Field id) noexcept {
    return (bit(id) & hop_only) != 0;
}

void remove_hop_by_hop(HeaderList& fields) {
    std::uint64_t present = 0;
    for (const HeaderField& field : fields)
        present |= bit(field.id);
    if ((present & hop_only) == 0) return;

    const NamedFields named(fields);
    fields.remove_if(
        [&named](const HeaderField& f) { return (bit(f.id) & hop_only) != 0 || named.take(f); });
}

void remove_named_by_connection(HeaderList& fields) {
    if (fields.find(Field::connection) == nullptr) return;
    const NamedFields named(fields);
    if (named.empty()) return;
    fields.remove_if([&named](const HeaderField& f) { return named.take(f); });
}

void remove_underscored(HeaderList& fields) {
    fields.remove_if(
        [](const HeaderField& f) { return f.id == Field::unknown && has_underscore(f.name); });
}

void remove_disguised(HeaderList& fields) {
    fields.remove_if([](const HeaderField& f) {
        if (f.id != Field::unknown || !has_underscore(f.name)) return false;
        const DashForm form(f.name);
        return (bit(field_id(form.text())) & (hop_only | ours)) != 0 ||
               form.is(client_subject_name);
    });
}

}  // namespace scrollgate
