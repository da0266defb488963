// Files of URLs: read with comments and blanks, written whole or not at all.
#include "proxy/caching/warm_file.hpp"

#include <fstream>

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/proxy/admin/temporary_folder.hpp"

using namespace scrollgate;

TEST_CASE("comments, blanks and empty lines are no URLs") {
    const test::TemporaryFolder folder;
    const std::string file = folder / "urls";
    std::ofstream(file) << "# all\n\n  http://a.test/x \r\n#http://a.test/no\nb.test/y";
    const UrlFile read = read_url_file(file);
    CHECK(read.error == "");
    CHECK(read.urls == std::vector<std::string>{"http://a.test/x", "b.test/y"});
}

TEST_CASE("what cannot be read is said with its name") {
    const test::TemporaryFolder folder;
    CHECK(read_url_file(folder / "none").error.find("none cannot be read: No such file") !=
          std::string::npos);
    CHECK(read_url_file(folder / ".").error.find("is a folder") != std::string::npos);
}

TEST_CASE("what is written reads back, in place of what was there, with nothing left beside it") {
    const test::TemporaryFolder folder;
    const std::string file = folder / "hottest";
    const std::vector<std::string> urls{"http://a.test/1", "http://a.test/2?x=y"};
    CHECK(write_url_file(file, {"http://old.test/"}) == "");
    CHECK(write_url_file(file, urls) == "");
    CHECK(read_url_file(file).urls == urls);
    CHECK_FALSE(std::ifstream(file + ".new"));
    CHECK(write_url_file(folder / "no/such/file", urls).find("cannot be written") !=
          std::string::npos);
}

TEST_CASE("what lies in the draft's place is neither followed nor written into") {
    const test::TemporaryFolder folder;
    const std::string file = folder / "hottest", other = folder / "other";
    std::ofstream(other) << "kept";
    REQUIRE(::symlink(other.c_str(), (file + ".new").c_str()) == 0);
    CHECK(write_url_file(file, {"http://a.test/"}) == "");
    std::string kept;
    std::ifstream(other) >> kept;
    CHECK(kept == "kept");
    struct stat facts {};
    REQUIRE(::lstat(file.c_str(), &facts) == 0);
    CHECK(S_ISREG(facts.st_mode));
    CHECK((facts.st_mode & 0777) == 0600);
    std::ofstream(file + ".new") << "open to all";
    REQUIRE(::chmod((file + ".new").c_str(), 0666) == 0);
    CHECK(write_url_file(file, {"http://a.test/"}) == "");
    REQUIRE(::lstat(file.c_str(), &facts) == 0);
    CHECK((facts.st_mode & 0777) == 0600);
}
