// Where the token file is, who may read it, and how a token is compared.
#include "proxy/admin/token.hpp"

#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "tests/unit/proxy/admin/temporary_folder.hpp"

using namespace scrollgate;
using scrollgate::test::TemporaryFolder;
namespace fs = std::filesystem;

TEST_CASE("a missing token is made with its folder, private, and kept") {
    const TemporaryFolder folder;
    const std::string file = folder / "run/scrollgate/token";
    const Token made = make_or_read_token(file);
    REQUIRE(made.error == "");
    CHECK(made.secret.size() == 64);
    CHECK(made.secret.find_first_not_of("0123456789abcdef") == std::string::npos);
    CHECK((fs::status(file).permissions() & fs::perms::mask) == fs::perms(0600));
    CHECK((fs::status(folder / "run/scrollgate").permissions() & fs::perms(022)) == fs::perms(0));
    CHECK(make_or_read_token(file).secret == made.secret);
    CHECK(read_token(file).secret == made.secret);
    CHECK(std::distance(fs::directory_iterator(folder / "run/scrollgate"), {}) == 1);  // no draft
    CHECK(make_or_read_token(folder / "other").secret != made.secret);
}

TEST_CASE("several starts at once agree on one token") {
    const TemporaryFolder folder;
    std::vector<Token> tokens(4);
    std::vector<std::thread> threads;
    // One process: the drafts have one name, so a loser may fail to make it, but none overwrites.
    for (Token& token : tokens) {
        threads.emplace_back([&] {
            do
                token = make_or_read_token(folder / "token");
            while (!token.error.empty());
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    for (const Token& token : tokens)
        CHECK(token.secret == tokens[0].secret);
}

TEST_CASE("a token that others may read is refused with what to do") {
    const TemporaryFolder folder;
    const std::string file = folder.file("token", "0123456789abcdef\n", fs::perms(0640));
    const std::string expected = "cannot use the admin token file " + file +
                                 ": others may read or write it; run: chmod 600 " + file;
    CHECK(make_or_read_token(file).error == expected);
    CHECK(read_token(file).error == expected);
    fs::permissions(file, fs::perms(0400));
    CHECK(read_token(file).secret == "0123456789abcdef");
}

TEST_CASE("what is no token is refused") {
    const TemporaryFolder folder;
    for (const char* content :
         {"", "short\n", "two words in one line\n", "two lines here x\ny\n"}) {
        const std::string file = folder.file("token", content);
        CAPTURE(content);
        CHECK(make_or_read_token(file).error.find("it must hold one line of 16 to 1024") !=
              std::string::npos);
    }
    const std::string file = folder.file("long", std::string(2000, 'x'));
    CHECK(read_token(file).error.find("it must hold one line") != std::string::npos);
    fs::create_directory(folder / "directory");
    fs::permissions(folder / "directory", fs::perms(0700));
    CHECK(read_token(folder / "directory").error.find("it is not a regular file") !=
          std::string::npos);
}

TEST_CASE("a place that cannot be written is named") {
    const TemporaryFolder folder;
    folder.file("plain", "x");
    const std::string file = folder / "plain/token";
    CHECK(make_or_read_token(file).error.find(file) != std::string::npos);
    CHECK(read_token(folder / "none").error ==
          "cannot read the admin token file " + (folder / "none") + ": No such file or directory");
}

TEST_CASE("secrets are the same only if every byte is") {
    CHECK(same_secret("abc", "abc"));
    CHECK(!same_secret("abc", "abd"));
    CHECK(!same_secret("abc", "ab"));
    CHECK(!same_secret("abc", ""));
}
