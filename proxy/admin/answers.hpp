// What the admin API answers with: text, JSON, errors. Nothing of it may be kept by caches.
#pragma once

#include <string>
#include <string_view>

#include "core/http1/beast_server.hpp"

namespace scrollgate {

[[nodiscard]] http1::HttpResponse text_answer(unsigned status, std::string body);

/// `json` without a line end.
[[nodiscard]] http1::HttpResponse json_answer(unsigned status, std::string json);

/// An error of the admin API: {"error": token, "message": what to do about it}.
[[nodiscard]] http1::HttpResponse admin_error(unsigned status, std::string_view token,
                                              std::string_view message);

}  // namespace scrollgate
