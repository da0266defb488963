#include "proxy/caching/hottest_file.hpp"

#include <csignal>
#include <utility>

#include "core/log.hpp"
#include "proxy/caching/warm_file.hpp"

namespace scrollgate {

void HottestFile::begin(std::string file, Look look) {
    if (busy_.exchange(true)) return;
    wait();
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this, file = std::move(file), look = std::move(look)] {
        write(file, look);
        busy_ = false;
    });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    pthread_setname_np(thread_.native_handle(), "hottest-file");
}

void HottestFile::wait() {
    if (thread_.joinable()) thread_.join();
}

void HottestFile::write(const std::string& file, const Look& look) {
    const std::vector<std::string> urls = look();
    // What was remembered is better than nothing, right after a start.
    if (urls.empty()) return;
    std::string wrong = write_url_file(file, urls);
    if (!wrong.empty() && wrong != complaint_) log::warn("cache.hottest: {}", wrong);
    complaint_ = std::move(wrong);
}

}  // namespace scrollgate
