// The PROXY header: no reading beyond the bytes, no header that depends on what follows it, and
// what was read can be written and read again.
#include <string>

#include "core/limits.hpp"
#include "core/net/proxy_header.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

using scrollgate::parse_proxy_header;
using scrollgate::ProxyHeader;
using scrollgate::fuzz::require;

void judge(std::string_view bytes) {
    using Status = ProxyHeader::Status;
    const ProxyHeader read = parse_proxy_header(bytes);
    const ProxyHeader with_more = parse_proxy_header(std::string(bytes) + "\r\n");
    require(read.status != Status::failed || with_more.status == Status::failed,
            "what is none does not become one");
    require(read.status != Status::need_more || bytes.size() < scrollgate::limits::proxy_header,
            "waiting has an end");
    if (read.status != Status::complete) return;
    require(read.consumed > 0 && read.consumed <= bytes.size(), "it is within the bytes");
    require(read.consumed <= scrollgate::limits::proxy_header, "it is within the limit");
    const ProxyHeader alone = parse_proxy_header(bytes.substr(0, read.consumed));
    require(alone.status == Status::complete && alone.consumed == read.consumed,
            "it does not depend on what follows");
    if (read.local) return;
    for (const std::string& again : {scrollgate::proxy_header_v1(read.source, read.destination),
                                     scrollgate::proxy_header_v2(read.source, read.destination)}) {
        const ProxyHeader same = parse_proxy_header(again);
        require(same.status == Status::complete, "what we write is one");
        require(same.source.text() == read.source.text() &&
                    same.destination.text() == read.destination.text(),
                "what we write says the same");
    }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    judge(scrollgate::fuzz::as_text(data, size));
    return 0;
}
