#include "proxy/admin/answers.hpp"

#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace scrollgate {

http1::HttpResponse text_answer(unsigned status, std::string body) {
    http1::HttpResponse response;
    response.status = status;
    response.headers = {{"Cache-Control", "no-store"}};
    response.body = std::move(body);
    return response;
}

http1::HttpResponse json_answer(unsigned status, std::string json) {
    http1::HttpResponse response = text_answer(status, std::move(json) + "\n");
    response.content_type = "application/json";
    return response;
}

http1::HttpResponse admin_error(unsigned status, std::string_view token, std::string_view message) {
    const boost::json::object body{{"error", token}, {"message", message}};
    return json_answer(status, boost::json::serialize(body));
}

}  // namespace scrollgate
