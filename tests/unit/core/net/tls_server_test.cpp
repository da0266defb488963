// TlsServerContext and the server's end of TlsStream: what is shown to whom, what is agreed on, and
// what is wrong with files.
#include "core/net/tls_server.hpp"

#include <string>

#include <doctest/doctest.h>

#include "tests/support/turns.hpp"
#include "tests/unit/core/net/tls_files.hpp"
#include "tests/unit/core/net/tls_line.hpp"

namespace scrollgate {
namespace {

using namespace test;
using namespace std::chrono_literals;

const Identity& other() {
    static const Identity made("other.example", "DNS:other.example,DNS:*.wild.example",
                               &authority());
    return made;
}

std::shared_ptr<const TlsServerContext> context_of(const TlsServerOptions& options,
                                                   std::string* wrong = nullptr) {
    std::vector<TlsFinding> findings;
    auto made = TlsServerContext::make(options, TlsTicketKeys::made(nullptr), system_clock().wall(),
                                       findings);
    for (const TlsFinding& one : findings)
        if (wrong != nullptr)
            *wrong += one.part + (one.warning ? " (warning): " : ": ") + one.text + "\n";
    return made;
}

/// Both ends are ours.
struct Pair {
    Pair(std::shared_ptr<const TlsServerContext> of, const TlsClientOptions& options,
         std::string_view name, std::shared_ptr<TlsSession> session = nullptr)
        : client_context(options),
          client(make_tls_stream(loop, client_context, name, std::move(session))) {
        client->start_connect(address_of(listener.fd), connected);
        int fd = -1;
        for (int turn = 0; turn < 1'000'000 && fd < 0; ++turn) {
            loop.poll();
            fd = ::accept4(listener.fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        }
        REQUIRE(fd >= 0);
        server = std::make_unique<TlsStream>(loop, fd, std::move(of));
        server->start_handshake(shaken);
        for (int turn = 0; turn < 1'000'000 && (shaken.count == 0 || connected.count == 0); ++turn)
            loop.poll();
    }
    ~Pair() {
        client.reset();
        server.reset();
        settle(loop);
    }
    /// Takes what the server has sent behind its handshake: a ticket.
    void take_ticket() {
        write(*server, "x");
        CHECK(read_text(*client, 8, [this] { settle(loop); }) == "x");
    }
    static void write(Stream& to, std::string_view bytes) {
        const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
        REQUIRE(to.try_write({&part, 1}).bytes == bytes.size());
    }

    EventLoop loop{system_clock(), 1, 1'000};
    Descriptor listener = listening(false);
    TlsClientContext client_context;
    Completion connected, shaken;
    std::unique_ptr<TlsStream> client, server;
};

}  // namespace

TEST_CASE("a name gets its certificate, a wildcard's too; others the default") {
    const Folder folder;
    TlsServerOptions options;
    options.certificates = {files(folder, "site", site()), files(folder, "other", other())};
    const auto context = context_of(options);
    REQUIRE(context);
    const auto how = [&](std::string_view name) {
        const Pair pair(context, trusting(), name);
        if (pair.connected.message() == "ok") CHECK(pair.server->server_name() == name);
        return pair.connected.message();
    };
    CHECK(how("gate.example") == "ok");
    CHECK(how("other.example") == "ok");
    CHECK(how("a.wild.example") == "ok");
    CHECK(how("nobody.example").find("mismatch") != std::string::npos);
    CHECK(context->serves("gate.example", "GATE.example"));
    CHECK_FALSE(context->serves("gate.example", "other.example"));
    CHECK(context->serves("other.example", "b.wild.example"));
    CHECK_FALSE(context->serves("other.example", "a.b.wild.example"));
    CHECK_FALSE(context->serves("other.example", "wild.example"));
}

TEST_CASE("a certificate that nobody can be shown is told of") {
    const Folder folder;
    TlsServerOptions options;
    options.certificates = {files(folder, "site", site()), files(folder, "other", other())};
    std::string wrong;
    REQUIRE(context_of(options, &wrong));
    CHECK(wrong.find("never shown") == std::string::npos);
    options.certificates.push_back(files(folder, "again", site()));
    REQUIRE(context_of(options, &wrong));
    CHECK(wrong.find("certificates[2].cert (warning): ") != std::string::npos);
    CHECK(wrong.find("is never shown") != std::string::npos);
}

TEST_CASE("bytes go both ways, and the protocol is the server's choice") {
    const Folder folder;
    TlsServerOptions options;
    options.certificates = {files(folder, "site", site())};
    options.alpn = {"http/1.1", "h2"};
    Pair pair(context_of(options), trusting(), "gate.example");
    REQUIRE(pair.shaken.message() == "ok");
    CHECK(pair.server->alpn() == "http/1.1");
    CHECK(pair.server->client_subject().empty());
    pair.take_ticket();
    Pair::write(*pair.client, "question");
    const auto settle = [&] { test::settle(pair.loop); };
    CHECK(read_text(*pair.server, 64, settle) == "question");
}

TEST_CASE("a ticket saves the handshake while its key is known") {
    const Folder folder;
    TlsServerOptions options;
    options.certificates = {files(folder, "site", site())};
    options.ticket_keys = folder.write("tickets", std::string(TlsTicketKeys::key_bytes, 'k'));
    const auto session = std::make_shared<TlsSession>();
    const auto resumed = [&] {
        Pair pair(context_of(options), trusting(), "gate.example", session);
        REQUIRE(pair.shaken.message() == "ok");
        pair.take_ticket();
        return pair.server->resumed();
    };
    CHECK_FALSE(resumed());
    CHECK(resumed());  // by another context with the same keys: another node
    folder.write("tickets", std::string(TlsTicketKeys::key_bytes, 'n') +
                                std::string(TlsTicketKeys::key_bytes, 'k'));
    CHECK(resumed());
    folder.write("tickets", std::string(TlsTicketKeys::key_bytes, 'm'));
    CHECK_FALSE(resumed());
}

TEST_CASE("clients are asked for certificates, and their subject is known") {
    const Folder folder;
    static const Identity user("ann", nullptr, &authority());
    TlsServerOptions options;
    options.certificates = {files(folder, "site", site())};
    options.client_ca = folder.write("ca", pem_of(authority()));
    TlsClientOptions shows = trusting();
    const TlsCertificateFiles own = files(folder, "user", user);
    shows.cert = own.cert;
    shows.key = own.key;
    {
        const Pair pair(context_of(options), shows, "gate.example");
        REQUIRE(pair.shaken.message() == "ok");
        CHECK(pair.server->client_subject() == "CN=ann");
    }
    const Pair without(context_of(options), trusting(), "gate.example");
    CHECK(without.shaken.message() != "ok");
    options.client_auth = TlsServerOptions::ClientAuth::optional;
    const Pair optional(context_of(options), trusting(), "gate.example");
    CHECK(optional.shaken.message() == "ok");
}

TEST_CASE("a pinned key is believed whoever signed, and no other") {
    const Folder folder;
    TlsServerOptions options;
    options.certificates = {files(folder, "site", site())};
    TlsClientOptions pins;
    pins.pin = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    const Pair refused(context_of(options), pins, "gate.example");
    CHECK(refused.connected.message().find("certificate") != std::string::npos);
}

TEST_CASE("nobody is asked for the passphrase of a client's key") {
    const Folder folder;
    const std::string locked = pem([&](BIO* bio) {
        PEM_write_bio_PrivateKey(bio, site().key.get(), EVP_aes_128_cbc(),
                                 reinterpret_cast<const unsigned char*>("secret"), 6, nullptr,
                                 nullptr);
    });
    TlsClientOptions options = trusting();
    options.cert = folder.write("client.crt", pem_of(site()));
    options.key = folder.write("client.key", locked);
    std::string said;
    try {
        const TlsClientContext context(options);
    } catch (const std::runtime_error& error) {
        said = error.what();
    }
    CHECK(said.find("has a passphrase") != std::string::npos);
}

TEST_CASE("what is wrong with files is said with the part that names them") {
    const Folder folder;
    const auto said = [&](const TlsCertificateFiles& of, bool usable = false) {
        std::string wrong;
        TlsServerOptions options;
        options.certificates = {of};
        CHECK((context_of(options, &wrong) != nullptr) == usable);
        return wrong;
    };
    const auto has = [](const std::string& text, std::string_view part) {
        CAPTURE(text);
        CHECK(text.find(part) != std::string::npos);
    };
    static const Identity lasting("gate.example", "DNS:gate.example", &authority(), 90L * 86400);
    const TlsCertificateFiles good = files(folder, "site", lasting);
    CHECK(said(good, true).empty());
    has(said(files(folder, "soon", site()), true), "expires in 0 days");
    has(said({folder.path + "/none", good.key, ""}), "certificates[0].cert: ");
    has(said({good.cert, files(folder, "other", other()).key, ""}),
        "certificates[0].key: '" + folder.path + "/other.key' is not the key of");
    has(said({good.key, good.key, ""}), "holds no certificate in PEM");
    has(said({good.cert, good.cert, ""}), "holds no private key in PEM");
    has(said({folder.write("order", pem_of(authority()) + pem_of(lasting)), good.key, ""}),
        "it is number 2");
    has(said({folder.write("gap", pem_of(lasting) + pem_of(other())), good.key, ""}),
        "certificate 2 is not the issuer of certificate 1");
    has(said({good.cert, good.key, good.key}), "holds no successful OCSP answer");
    static const Identity old("old.example", "DNS:old.example", &authority(), -60);
    has(said(files(folder, "old", old), true), "cert (warning): ");
    has(said(files(folder, "old", old), true), "has expired");
    has(said(files(folder, "soon", site()), true), "expires in 0 days");
}

}  // namespace scrollgate
