// Dictionaries for small bodies: LZ4 against 16 KiB of what objects of the same partition have in
// common, learned from the partition's own objects.
//
// Versioned: a body keeps the dictionary that it was packed with, which is charged to the cache as
// long as anybody does. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include "cache/hash128.hpp"
#include "core/limits.hpp"

union LZ4_stream_u;

namespace scrollgate {

class CacheStore;

/// A text that is loaded for LZ4. Immutable.
class Dictionary : public boost::intrusive_ref_counter<Dictionary> {
  public:
    /// `text` has up to limits::dictionary bytes. `charged_to` gets charged() back at its end; may
    /// be null.
    Dictionary(std::uint64_t id, std::string text, CacheStore* charged_to);
    ~Dictionary();

    /// Counts from 1 within a partition.
    [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
    [[nodiscard]] std::string_view text() const noexcept { return text_; }
    /// What it is called by all processes: hash128() of its text.
    [[nodiscard]] const Hash128& name() const noexcept { return name_; }
    /// Bytes of memory that a dictionary takes, at most.
    [[nodiscard]] static std::size_t charged() noexcept;

  private:
    friend std::size_t pack(const Dictionary*, std::string_view, std::span<char>) noexcept;

    std::uint64_t id_;
    std::string text_;
    Hash128 name_;
    CacheStore* charged_to_;
    std::unique_ptr<LZ4_stream_u> loaded_;
};
using DictionaryRef = boost::intrusive_ptr<const Dictionary>;

/// `content` (up to limits::cache_block) as one LZ4 block, against `dictionary` if it is not null.
/// Bytes written; 0: it does not fit into `into`.
[[nodiscard]] std::size_t pack(const Dictionary* dictionary, std::string_view content,
                               std::span<char> into) noexcept;
/// `block` holds `size` bytes of content, no more and no less. For what comes from elsewhere.
[[nodiscard]] bool unpacks(const Dictionary* dictionary, std::string_view block, std::size_t size);
/// Undoes it; `into` has the content's size exactly. Ends the process if that is not what the block
/// holds: memory is broken then.
void unpack(const Dictionary* dictionary, std::string_view block, std::span<char> into) noexcept;

/// Learns from bodies that are stored, one per partition.
///
/// It gathers bodies, makes a dictionary of those that say something new, and adopts it if others,
/// which it has not seen, shrink by it. Then it looks at a few of many whether that still holds,
/// and gathers again if not.
class DictionaryTrainer {
  public:
    /// `store` gives the room for samples and dictionaries, and outlives it.
    explicit DictionaryTrainer(CacheStore& store);
    ~DictionaryTrainer();
    DictionaryTrainer(const DictionaryTrainer&) = delete;
    DictionaryTrainer& operator=(const DictionaryTrainer&) = delete;

    /// A body as it is stored (others than those of up to limits::dictionary_object bytes are
    /// passed over). Cheap: a few of many are kept. Any thread.
    void learn(std::string_view body);
    /// Makes a dictionary, if enough is gathered, and judges it: milliseconds. Control thread.
    void study();
    /// The newest dictionary that paid on samples it had not seen; null until there is one.
    [[nodiscard]] DictionaryRef current() const;

  private:
    struct Lesson;
    using Lock = std::unique_lock<std::mutex>;

    void gather(std::string_view body);
    void watch(Lock& lock, std::string_view body);
    void judge(Lock& lock, const Lesson& lesson);
    [[nodiscard]] bool may_adopt();
    void rest();

    CacheStore& store_;
    std::atomic<std::uint64_t> seen_{0};
    std::atomic<std::uint64_t> next_{0};  // the body of this number is looked at

    mutable std::mutex mutex_;
    std::unique_ptr<Lesson> lesson_;    // while it gathers, and until study()
    std::vector<DictionaryRef> alive_;  // the newest last
    std::uint64_t id_ = 0;
    std::uint64_t rest_;   // bodies between a lesson that did not pay and the next
    double promised_ = 1;  // what the newest made of samples, against plain LZ4
    double recent_ = 1;    // what it makes of what comes now
};

}  // namespace scrollgate
