// Result<T>: a value or an Error, without exceptions. The currency of the data path.
#pragma once

#include <stdexcept>

#include <boost/system/result.hpp>

#include "core/error.hpp"

namespace scrollgate {

/// Called by Result::value() on an error: a bug in the caller, never a peer's doing.
[[noreturn]] inline void throw_exception_from_error(const Error& error,
                                                    const boost::source_location&) {
    throw std::logic_error(std::string("unchecked error: ").append(error.reason()));
}

template <class T>
using Result = boost::system::result<T, Error>;

}  // namespace scrollgate
