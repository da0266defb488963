// What ends at this hop, and what a Connection field cannot take away.
#include "core/hop_by_hop.hpp"

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

using namespace scrollgate;

namespace {

std::string left(std::initializer_list<std::pair<const char*, const char*>> fields) {
    HeaderList list;
    for (const auto& [name, value] : fields)
        list.add(name, value);
    remove_hop_by_hop(list);
    std::string names;
    for (const HeaderField& field : list)
        names.append(field.name).append(" ");
    return names;
}

std::string left_unnamed(std::initializer_list<std::pair<const char*, const char*>> fields) {
    HeaderList list;
    for (const auto& [name, value] : fields)
        list.add(name, value);
    remove_named_by_connection(list);
    std::string names;
    for (const HeaderField& field : list)
        names.append(field.name).append(" ");
    return names;
}

std::vector<std::string> options(std::string_view value) {
    std::vector<std::string> out;
    for_each_option(value, [&out](std::string_view option) { out.emplace_back(option); });
    return out;
}

}  // namespace

TEST_CASE("fields of one hop are removed, others stay in order") {
    CHECK(left({{"Host", "a"}, {"X-A", "b"}}) == "Host X-A ");
    CHECK(left({{"Host", "a"},
                {"Connection", "keep-alive"},
                {"Keep-Alive", "timeout=5"},
                {"Proxy-Connection", "close"},
                {"X-A", "b"},
                {"TE", "trailers"},
                {"Transfer-Encoding", "chunked"},
                {"Upgrade", "websocket"},
                {"HTTP2-Settings", "x"},
                {"Proxy-Authorization", "x"},
                {"Proxy-Authenticate", "x"},
                {"X-Scrollgate-Explain", "1"},
                {"Trailer", "X-B"},
                {"Cookie", "c"}}) == "Host X-A Trailer Cookie ");
}

TEST_CASE("a field that Connection names goes with it") {
    CHECK(left({{"X-A", "1"}, {"Connection", "x-a, close ,X-B"}, {"X-B", "2"}, {"X-C", "3"}}) ==
          "X-C ");
    CHECK(left({{"Connection", "x-a"},
                {"X-A", "1"},
                {"connection", "x-c"},
                {"X-C", "3"},
                {"Y", ""}}) == "Y ");
    CHECK(left({{"Connection", "close"}, {"Close", "1"}}) == "Close ");
    CHECK(left({{"Connection", ""}, {"X-A", "1"}}) == "X-A ");
}

TEST_CASE("Connection cannot take away what carries meaning") {
    for (const char* name : {"Host",
                             "Content-Length",
                             "Content-Type",
                             "Content-Encoding",
                             "Content-Disposition",
                             "Cache-Control",
                             "Authorization",
                             "Cookie",
                             "Set-Cookie",
                             "X-Forwarded-For",
                             "X-Forwarded-Proto",
                             "X-Forwarded-Host",
                             "X-Forwarded-Port",
                             "Forwarded",
                             "Via",
                             "X-Real-IP",
                             "X-Request-Id",
                             "X-Client-Cert-Subject",
                             "Date",
                             "ETag",
                             "Expires",
                             "Vary",
                             "Range",
                             "If-Match",
                             "Expect",
                             "Trailer"}) {
        CAPTURE(name);
        CHECK(left({{"Connection", name}, {name, "v"}, {"X-A", "w"}}) ==
              std::string(name) + " X-A ");
        CHECK(left({{"Connection", (std::string("x-a, ") + name).c_str()},
                    {name, "v"},
                    {"X-A", "w"}}) == std::string(name) + " ");
    }
}

TEST_CASE("what Connection names can go alone, before the rest of this hop's fields") {
    CHECK(left_unnamed(
              {{"X-A", "1"}, {"Connection", "x-a, upgrade"}, {"Upgrade", "h"}, {"TE", "t"}}) ==
          "Connection Upgrade TE ");
    CHECK(left_unnamed({{"X-A", "1"},
                        {"Connection", "keep-alive"},
                        {"Connection", "X-A, Cookie"},
                        {"Cookie", "c"}}) == "Connection Connection Cookie ");
    CHECK(left_unnamed({{"X-A", "1"}, {"Close", "1"}, {"Connection", "close"}}) ==
          "X-A Close Connection ");
    CHECK(left_unnamed({{"X-A", "1"}}) == "X-A ");
}

TEST_CASE("options of a list are found without white space and empty elements") {
    CHECK(options("").empty());
    CHECK(options(" , ,\t").empty());
    CHECK(options("a") == std::vector<std::string>{"a"});
    CHECK(options(" a b\t,,c ,") == std::vector<std::string>{"a b", "c"});
}

TEST_CASE("names with an underscore are dropped") {
    HeaderList list;
    for (const char* name : {"X_Forwarded_For", "X-A", "Content_Length", "_", "X-B_"})
        list.add(name, "v");
    remove_underscored(list);
    REQUIRE(list.size() == 1);
    CHECK(list[0].name == "X-A");
}

TEST_CASE("of gRPC's metadata only names go that read as one of ours") {
    HeaderList list;
    for (const char* name :
         {"user_id", "x_forwarded_for", "X-A", "content_length", "_", "trace_bin-bin", "x_real-ip",
          "grpc_timeout", "x_client_cert_subject", "x_request_id_", "te_", "transfer_encoding"})
        list.add(name, "v");
    list.add(std::string_view("x_client_cert_subject_and_more_than_that_________________________"),
             "v");
    remove_disguised(list);
    std::string left;
    for (const HeaderField& field : list)
        left.append(field.name.substr(0, 24)).append(" ");
    CHECK(left == "user_id X-A _ trace_bin-bin x_request_id_ te_ x_client_cert_subject_an ");
}
