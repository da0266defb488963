// CertificateStore: the TLS side of all listeners, and of pools, from files; looks for changes of
// the listeners' files, and rotates the ticket keys that this process makes.
//
// What is in use is immutable and swapped whole, listener by listener. A changed file that cannot
// be used changes nothing and is told once. Control thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/model.hpp"
#include "core/net/alarm.hpp"
#include "core/net/tls_server.hpp"
#include "health/plans.hpp"
#include "proxy/admin/status.hpp"
#include "proxy/server/endpoint_watch.hpp"

namespace scrollgate {

class CertificateStore {
  public:
    struct Loaded {
        std::shared_ptr<const TlsServerContext> context;  ///< null where the listener is plain
        std::string files;  ///< their fingerprint before they were read
    };
    using Contexts = std::vector<Loaded>;  ///< by index of the listener

    /// References outlive the store; the alarm is its alone. `changed` is called when files have
    /// changed what at() gives.
    CertificateStore(const Clock& clock, Alarm& alarm, std::function<void()> changed);

    /// Reads what `listeners` need. Throws std::runtime_error with everything that is wrong.
    [[nodiscard]] Contexts load(const std::vector<config::Listener>& listeners) const;
    /// Uses `contexts`, which load() has made of `listeners`, from now on.
    void use(const std::vector<config::Listener>& listeners, Contexts contexts);
    /// The context of a listener in use; null if it is plain.
    [[nodiscard]] std::shared_ptr<const TlsServerContext> at(std::size_t listener) const {
        return entries_[listener].context;
    }
    /// For people: every certificate in use.
    [[nodiscard]] std::vector<CertificateStatus> status() const;

  private:
    struct Entry {
        config::Listener listener;
        std::shared_ptr<const TlsServerContext> context;
        std::string tried;  ///< the files' fingerprint that was loaded, or could not be
        std::string seen;   ///< at the last look: a change counts when it has come to rest
    };

    void look();
    void set_alarm();
    [[nodiscard]] bool reload(Entry& entry, const char* why);

    const Clock& clock_;
    Alarm& alarm_;
    std::function<void()> changed_;
    std::shared_ptr<const TlsTicketKeys> tickets_;
    TimePoint rotated_;
    std::vector<Entry> entries_;
};

/// The contexts of pools with https:// endpoints. Throws std::runtime_error.
[[nodiscard]] PoolContexts pool_contexts(const std::vector<config::Pool>& pools);
/// Who the dependencies and webhooks of pools have to be, those over TLS. Throws
/// std::runtime_error.
[[nodiscard]] ProbeTargets probe_targets(const std::vector<config::Pool>& pools);

}  // namespace scrollgate
