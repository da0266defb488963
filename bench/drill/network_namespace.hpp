// The network namespace of a process, and work that is done inside of it.
#pragma once

#include <functional>

namespace scrollgate::bench {

class NetworkNamespace {
  public:
    /// Throws BadInput (url.hpp) if it cannot be seen.
    explicit NetworkNamespace(int pid);
    ~NetworkNamespace();
    NetworkNamespace(const NetworkNamespace&) = delete;
    NetworkNamespace& operator=(const NetworkNamespace&) = delete;

    /// Somebody made it for a purpose: some process above `pid` lives in another one. (Process 1
    /// may be hidden from us; then the shell above an `unshare -n` tells.)
    [[nodiscard]] bool is_made_for_it() const;
    /// Calls `work` on this thread, which is inside meanwhile; so are processes that it starts.
    /// Throws BadInput if we may not enter.
    void inside(const std::function<void()>& work) const;

  private:
    const int pid_;
    const int fd_;
};

}  // namespace scrollgate::bench
