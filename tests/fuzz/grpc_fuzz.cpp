// gRPC's small texts: answers to health checks are read within their bytes and in one way,
// deadlines survive being written again.
#include <string>

#include "core/grpc.hpp"
#include "core/grpc_health.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

using namespace scrollgate;
using scrollgate::fuzz::require;

void judge_health(std::string_view bytes) {
    const std::optional<grpc::Serving> read = grpc::health_response(bytes);
    require(grpc::health_response(std::string(bytes)) == read, "it depends on the bytes alone");
    if (!read) return;
    require(bytes.size() >= 5, "there is a prefix");
    require(!grpc::health_response(std::string(bytes) + '\x08'), "one message, and no more");
    require(!grpc::health_response(bytes.substr(0, bytes.size() - 1)), "it is whole");
    // A field behind it that says otherwise is the one that counts.
    std::string more = std::string(bytes) + "\x08\x02";
    std::size_t length = more.size() - 5;
    for (std::size_t i = 4; i > 0; --i, length >>= 8)
        more[i] = static_cast<char>(length & 0xff);
    require(grpc::health_response(more) == grpc::Serving::not_serving, "the last one counts");
}

void judge_timeout(std::string_view text) {
    const std::optional<Duration> read = grpc::timeout_from(text);
    if (!read || *read == no_limit) return;
    require(*read >= Duration::zero(), "time does not run backwards");
    std::array<char, 9> storage;
    const std::string_view again = grpc::timeout_text(*read, storage);
    require(again.size() <= storage.size(), "eight digits and a unit");
    const std::optional<Duration> same = grpc::timeout_from(again);
    require(same && *same <= *read, "nobody gets more time than there is");
    require(*same >= *read - *read / 50'000, "… nor much less");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = fuzz::as_text(data, size);
    judge_health(text);
    judge_timeout(text);
    require(grpc::status_from(text) != grpc::Status::ok || text == "0", "ok is 0");
    return 0;
}
