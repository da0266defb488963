// Message heads as Boost.Beast reads them: the parser that ours is compared with.
//
// Beast accepts more than ours (docs/decisions/0002-own-head-parser.md), so only one direction
// counts: what we accept, it must accept and read in the same way.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <boost/beast/http/basic_parser.hpp>

namespace scrollgate::fuzz {

template <bool IsRequest>
class BeastHead final : public boost::beast::http::basic_parser<IsRequest> {
    using Text = boost::beast::string_view;
    using Code = boost::beast::error_code;

  public:
    struct Line {
        std::string name;
        std::string value;
    };
    std::string method;
    std::string target;
    std::string reason;
    int status = 0;
    int version = 0;
    std::vector<Line> fields;

    /// Whether Beast takes `bytes`, a whole head, as such.
    bool read(std::string_view bytes) {
        this->eager(false);
        this->header_limit(std::numeric_limits<std::uint32_t>::max());
        this->body_limit(boost::none);
        Code error;
        this->put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
        return !error && this->is_header_done();
    }

  private:
    void on_request_impl(boost::beast::http::verb, Text verb, Text path, int number,
                         Code&) override {
        method.assign(verb.data(), verb.size());
        target.assign(path.data(), path.size());
        version = number;
    }
    void on_response_impl(int code, Text phrase, int number, Code&) override {
        status = code;
        reason.assign(phrase.data(), phrase.size());
        version = number;
    }
    void on_field_impl(boost::beast::http::field, Text name, Text value, Code&) override {
        fields.push_back({{name.data(), name.size()}, {value.data(), value.size()}});
    }
    void on_header_impl(Code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, Code&) override {}
    std::size_t on_body_impl(Text body, Code&) override { return body.size(); }
    void on_chunk_header_impl(std::uint64_t, Text, Code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, Text body, Code&) override { return body.size(); }
    void on_finish_impl(Code&) override {}
};

}  // namespace scrollgate::fuzz
