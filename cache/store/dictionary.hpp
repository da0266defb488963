// Dictionaries for small bodies: LZ4 against 16 KiB of what objects of the same partition have in
// common, learned from the partition's own objects.
//
// Versioned: a body keeps the dictionary that it was packed with, which is charged to the cache as
// long as anybody does. Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

namespace scrollgate {

class Dictionary;  // a loaded LZ4 dictionary, with its id
using DictionaryRef = boost::intrusive_ptr<const Dictionary>;

/// Learns from bodies that are stored, one per partition.
class DictionaryTrainer {
  public:
    /// A body of up to limits::dictionary_object bytes, as it is stored. Cheap: a few of many are
    /// kept. Any thread.
    void learn(std::string_view body);
    /// The newest dictionary that paid on samples it had not seen; null until there is one.
    [[nodiscard]] DictionaryRef current() const;
};

}  // namespace scrollgate
