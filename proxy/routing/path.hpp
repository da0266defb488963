// The normalised path: one spelling for one resource (RFC 3986 section 6.2.2), so that routing,
// cache key and origin cannot disagree about what was asked for.
//
// What is done: dot segments are removed, escapes of unreserved characters are decoded, the hex of
// all other escapes is upper-cased. What is left alone: everything else. "%252e" stays, because a
// path is decoded once; overlong UTF-8 stays escaped; duplicate slashes stay, because origins may
// tell "/a//b" from "/a/b". Only the front is guarded: a path that does not begin with "//" never
// turns into one that does (such a target is a host to some readers, RFC 3986 section 4.2), so
// "/a/..//b" becomes "/b". Normalising twice gives the same as once.
#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"

namespace scrollgate {

/// The normalised form of `path`, which is the part of a target before '?'. An empty path is "/"
/// (RFC 9112 3.2.1), "*" stays; dot segments above the root are clamped. Fails with bad_path for
/// what two readers could read differently:
/// - anything else that does not begin with '/'
/// - control bytes, space, bytes above 0x7e, '#', '?' and backslash; malformed escapes
/// - "%00" and "%5C" in any case
/// - an encoded slash (%2F) in a path that has dot segments, also where the encoded slash is what
///   makes it one ("/a%2F..")
/// - dot segments with path parameters ("/..;/"), which servlet containers take for dot segments
/// Returns `path` itself when nothing changes (one scan, no copy); else a view into `storage`,
/// which must not be what `path` points into. Any thread.
[[nodiscard]] Result<std::string_view> normalise_path(std::string_view path, std::string& storage);

}  // namespace scrollgate
