// Messages that several micro benchmarks take apart.
#pragma once

#include <string_view>

namespace scrollgate::bench {

/// What `curl` sends.
inline constexpr std::string_view small_request =
    "GET /metadata/1205.json HTTP/1.1\r\n"
    "Host: market.example\r\n"
    "User-Agent: curl/7.88.1\r\n"
    "Accept: */*\r\n"
    "\r\n";

/// What a browser sends: Host, 15 further fields, about 700 bytes, as REAL_FIELDS of
/// bench/peers/scenarios.py.
inline constexpr std::string_view real_request =
    "GET /real HTTP/1.1\r\n"
    "Host: market.example\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8\r\n"
    "Accept-Language: en-US,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Referer: https://market.example/collections/scrolls?page=4&sort=price\r\n"
    "Cookie: session=8f14e45fceea167a5a36dedd4bea2543; theme=dark; consent=1; ab=7; "
    "seen=1205,1206,1311,1312,1400\r\n"
    "Authorization: Bearer 6f1ed002ab5595859014ebf0951522d9\r\n"
    "Origin: https://market.example\r\n"
    "Sec-Fetch-Dest: empty\r\n"
    "Sec-Fetch-Mode: cors\r\n"
    "Sec-Fetch-Site: same-site\r\n"
    "Cache-Control: no-cache\r\n"
    "Pragma: no-cache\r\n"
    "DNT: 1\r\n"
    "Priority: u=4\r\n"
    "\r\n";

}  // namespace scrollgate::bench
