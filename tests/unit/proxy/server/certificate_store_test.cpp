// CertificateStore over time: whose tickets are good, and for how long.
#include "proxy/server/certificate_store.hpp"

#include <string>
#include <string_view>

#include <doctest/doctest.h>
#include <openssl/ssl.h>

#include "core/limits.hpp"
#include "tests/unit/core/net/tls_files.hpp"
#include "tests/unit/proxy/caching/manual_alarm.hpp"

namespace scrollgate {
namespace {

using namespace test;
using namespace std::chrono_literals;
using Session = std::unique_ptr<SSL_SESSION, OpensslDelete<SSL_SESSION, SSL_SESSION_free>>;

const Identity& lasting() {
    static const Identity made("gate.example", "DNS:gate.example", &authority(), 900L * 86400);
    return made;
}

/// What a handshake in memory has come to.
struct Visit {
    bool resumed = false;
    Session session;

    /// Of the key that its ticket is sealed with.
    [[nodiscard]] std::string key_name() const {
        const unsigned char* ticket = nullptr;
        std::size_t size = 0;
        SSL_SESSION_get0_ticket(session.get(), &ticket, &size);
        REQUIRE(size > 16);
        return {reinterpret_cast<const char*>(ticket), 16};
    }
};

/// By TLS 1.2, where the ticket is a part of the handshake.
Visit visit(const TlsServerContext& at, SSL_SESSION* offered = nullptr) {
    const ServerContext ours(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_max_proto_version(ours.get(), TLS1_2_VERSION);
    const ServerSession client(SSL_new(ours.get())), server(SSL_new(at.handle()));
    BIO *left = nullptr, *right = nullptr;
    REQUIRE(BIO_new_bio_pair(&left, 0, &right, 0) == 1);
    SSL_set_bio(client.get(), left, left);
    SSL_set_bio(server.get(), right, right);
    SSL_set_connect_state(client.get());
    SSL_set_accept_state(server.get());
    if (offered != nullptr) SSL_set_session(client.get(), offered);
    for (int turn = 0; turn < 10; ++turn) {
        SSL_do_handshake(client.get());
        SSL_do_handshake(server.get());
    }
    REQUIRE(SSL_is_init_finished(client.get()));
    REQUIRE(SSL_is_init_finished(server.get()));
    SSL_set_shutdown(client.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    return {SSL_session_reused(client.get()) == 1, Session(SSL_get1_session(client.get()))};
}

/// One proxy with one listener.
struct Node {
    Node(const Clock& clock, const TlsServerOptions& options)
        : store(clock, alarm, [this] { ++changes; }) {
        listeners[0].name = "tls";
        listeners[0].tls = options;
        load();
    }
    void load() { store.use(listeners, store.load(listeners)); }
    [[nodiscard]] Visit visited(const Visit* before = nullptr) const {
        return visit(*store.at(0), before != nullptr ? before->session.get() : nullptr);
    }

    HandAlarm alarm;
    int changes = 0;
    CertificateStore store;
    std::vector<config::Listener> listeners{1};
};

TEST_CASE("ticket keys of this process are new after twelve hours, and the last ones still open") {
    const Folder folder;
    ManualClock clock;
    TlsServerOptions options;
    options.certificates = {files(folder, "site", lasting())};
    Node node(clock, options);
    const auto pass = [&](Duration by) {
        clock.advance(by);
        node.alarm.ring();
    };
    const Visit first = node.visited();
    CHECK(node.alarm.wait == Duration(limits::certificate_look));
    pass(limits::ticket_rotation - 1s);
    CHECK(node.changes == 0);
    CHECK(node.visited().key_name() == first.key_name());
    CHECK(node.visited(&first).resumed);

    pass(1s);
    CHECK(node.changes == 1);
    const Visit second = node.visited();
    CHECK(second.key_name() != first.key_name());
    const Visit renewed = node.visited(&first);
    CHECK(renewed.resumed);
    CHECK(renewed.key_name() == second.key_name());  // under the new key, for the next time
    node.load();                                     // a reload makes no keys
    CHECK(node.visited(&second).resumed);

    pass(limits::ticket_rotation);
    CHECK(node.changes == 2);
    CHECK_FALSE(node.visited(&first).resumed);
    CHECK(node.visited(&second).resumed);
    pass(limits::ticket_rotation);
    CHECK_FALSE(node.visited(&second).resumed);
}

TEST_CASE("a file that changes while a reload is under way is taken afterwards") {
    const Folder folder;
    ManualClock clock;
    static const Identity renewed("gate.example", "DNS:gate.example,DNS:new.example", &authority(),
                                  90L * 86400);
    TlsServerOptions options;
    options.certificates = {files(folder, "site", lasting())};
    Node node(clock, options);
    auto loaded = node.store.load(node.listeners);
    static_cast<void>(files(folder, "site", renewed));
    node.store.use(node.listeners, std::move(loaded));
    CHECK_FALSE(node.store.at(0)->serves("gate.example", "new.example"));
    node.alarm.ring();
    node.alarm.ring();
    CHECK(node.changes == 1);
    CHECK(node.store.at(0)->serves("gate.example", "new.example"));
}

TEST_CASE("nodes share ticket keys by a file, which rotates without losing a session") {
    const Folder folder;
    ManualClock clock;
    const std::string old_key(TlsTicketKeys::key_bytes, 'o'),
        new_key(TlsTicketKeys::key_bytes, 'n');
    TlsServerOptions options;
    options.certificates = {files(folder, "site", lasting())};
    options.ticket_keys = folder.write("tickets", old_key);
    Node one(clock, options), other(clock, options);
    const auto write = [&](const std::string& keys) {
        std::filesystem::rename(folder.write("next", keys), options.ticket_keys);
    };
    const auto looks_twice = [](Node& node) {  // a change counts when it has come to rest
        node.alarm.ring();
        node.alarm.ring();
    };
    const Visit first = one.visited();
    CHECK(first.key_name() == std::string(16, 'o'));
    CHECK(other.visited(&first).resumed);

    clock.advance(3 * limits::ticket_rotation);  // time alone changes nothing
    looks_twice(one);
    CHECK(one.changes == 0);
    CHECK(other.visited(&first).resumed);

    write(old_key + new_key);  // to be known by all…
    looks_twice(one);
    looks_twice(other);
    CHECK(one.visited().key_name() == std::string(16, 'o'));
    write(new_key + old_key);  // …before any seals with it
    looks_twice(one);
    const Visit second = one.visited(&first);
    CHECK(second.resumed);
    CHECK(second.key_name() == std::string(16, 'n'));
    CHECK(other.visited(&second).resumed);
    CHECK(other.visited().key_name() == std::string(16, 'o'));

    looks_twice(other);
    write(new_key);
    looks_twice(other);
    CHECK_FALSE(other.visited(&first).resumed);
    CHECK(other.visited(&second).resumed);
    CHECK(other.changes == 3);
}

TEST_CASE("a file of ticket keys that cannot be used changes nothing") {
    const Folder folder;
    ManualClock clock;
    TlsServerOptions options;
    options.certificates = {files(folder, "site", lasting())};
    options.ticket_keys = folder.write("tickets", std::string(TlsTicketKeys::key_bytes, 'k'));
    Node node(clock, options);
    const Visit first = node.visited();
    folder.write("tickets", std::string(TlsTicketKeys::key_bytes - 1, 'k'));
    node.alarm.ring();
    node.alarm.ring();
    CHECK(node.changes == 0);
    CHECK(node.visited(&first).resumed);
    CHECK_THROWS_WITH(node.load(), doctest::Contains("tls.ticket_keys"));
    CHECK(node.visited(&first).resumed);
}

}  // namespace
}  // namespace scrollgate
