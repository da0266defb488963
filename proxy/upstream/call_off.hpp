// CallOff: something under way towards an origin that its exchange may have to give up.
#pragma once

#include "core/error.hpp"

namespace scrollgate {

class CallOff {
  public:
    /// Ends it: every await of it completes soon, with an Error of `why`. The first reason stays.
    virtual void fail(ErrorKind why) noexcept = 0;

  protected:
    ~CallOff() = default;
};

}  // namespace scrollgate
