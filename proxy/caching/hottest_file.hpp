// HottestFile: writes the file of the URLs in most demand, on a thread of its own: looking for them
// in a large store and syncing the disk take longer than the control thread may.
//
// Control thread; what it is given to call runs on the other one.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace scrollgate {

class HottestFile {
  public:
    using Look = std::function<std::vector<std::string>()>;

    HottestFile() = default;
    ~HottestFile() { wait(); }
    HottestFile(const HottestFile&) = delete;
    HottestFile& operator=(const HottestFile&) = delete;

    /// Begins to write the URLs that `look` finds into `file`, unless the last time is not over.
    /// None: the file stays as it is. What goes wrong is logged, once for each thing.
    void begin(std::string file, Look look);
    /// Until what was begun is written.
    void wait();

  private:
    void write(const std::string& file, const Look& look);

    std::thread thread_;
    std::atomic<bool> busy_{false};
    std::string complaint_;  ///< the thread's
};

}  // namespace scrollgate
