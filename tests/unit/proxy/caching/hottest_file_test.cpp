// The file of the hottest is written beside everything else, one time after the other.
#include "proxy/caching/hottest_file.hpp"

#include <fstream>
#include <future>

#include <doctest/doctest.h>

#include "proxy/caching/warm_file.hpp"
#include "tests/unit/proxy/admin/temporary_folder.hpp"

using namespace scrollgate;

TEST_CASE("the file is written on another thread, and not twice at a time") {
    const test::TemporaryFolder folder;
    const std::string file = folder / "hottest";
    std::promise<void> go;
    HottestFile hottest;
    hottest.begin(file, [wait = go.get_future().share()] {
        wait.wait();
        return std::vector<std::string>{"http://a.test/"};
    });
    bool asked = false;
    hottest.begin(file, [&] {
        asked = true;
        return std::vector<std::string>{};
    });
    CHECK(read_url_file(file).urls.empty());
    go.set_value();
    hottest.wait();
    CHECK(read_url_file(file).urls == std::vector<std::string>{"http://a.test/"});
    CHECK_FALSE(asked);
    // None leaves what is there.
    hottest.begin(file, [&] {
        asked = true;
        return std::vector<std::string>{};
    });
    hottest.wait();
    CHECK(asked);
    CHECK(read_url_file(file).urls.size() == 1);
}
