// The walk over a document: where we are, what was wrong there, and what a scalar says.
//
// One Reader per load. Every value that is visited gets its place recorded under its path, so that
// checks that follow on the finished Config can still point into the file. One thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "config/document.hpp"
#include "config/loader.hpp"
#include "config/scalars.hpp"

namespace scrollgate::config {

/// The facts about one key, from which reference, suggestions and refusals come.
struct KeyInfo {
    std::string name;
    std::string type;           ///< "duration", "json | combined | off"
    std::string default_value;  ///< as one would write it, or words; empty: has none
    std::string range;
    std::string doc;  ///< one line
    bool required = false;
    std::string below;  ///< what stands between this key and its children: "", "*", "[]"
    std::vector<KeyInfo> children;
};

class Reader {
  public:
    /// `root` is the whole schema; it must outlive the Reader.
    explicit Reader(const KeyInfo& root) : root_(root) {}

    /// A step down the document, undone at the end of its scope.
    class [[nodiscard]] Step {
      public:
        ~Step();
        Step(const Step&) = delete;
        Step& operator=(const Step&) = delete;

      private:
        friend class Reader;
        Step(Reader& reader, std::size_t path_length) : reader_(reader), length_(path_length) {}
        Reader& reader_;
        std::size_t length_;
    };
    Step key(std::string_view name, const Value& value);   ///< a key of the schema
    Step name(std::string_view name, const Value& value);  ///< a key that the user made up
    Step index(std::size_t index, const Value& value);

    /// Reports at the current path. Problems in values that came from `defaults` are reported once,
    /// where they stand.
    void error(Mark mark, std::string message);
    void error(const Value& value, std::string message) { error(value.mark, std::move(message)); }
    /// A required key is not in `map`.
    void missing(const Value& map, std::string_view key);
    /// Keys that stand twice.
    void doubled(const Value& map);
    /// `name` is no key of the section at the current path, whose keys are `known`.
    void unknown_key(Mark mark, std::string_view name, const std::vector<const KeyInfo*>& known);

    /// The scalar's text with variables replaced; reports anything else. `example` is shown.
    [[nodiscard]] std::optional<std::string> scalar(const Value& value, std::string_view example);
    /// Is it a list (nothing counts as an empty one)? Reports if not.
    [[nodiscard]] bool is_list(const Value& value, std::string_view example);
    /// Is it a map (nothing counts as an empty one)? Reports if not.
    [[nodiscard]] bool is_section(const Value& value, std::string_view example);

    /// While reading `defaults`: nothing is required there.
    void enter_defaults(const Value& value);
    void leave_defaults() { in_defaults_ = false; }
    /// What to lay under every pool and route.
    ValuePtr pool_defaults, route_defaults;

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] std::vector<Problem>& problems() noexcept { return problems_; }
    /// The place recorded for `path` or for the closest thing around it.
    [[nodiscard]] Mark place(std::string path) const;
    /// Did the value at `path` come from `defaults`?
    [[nodiscard]] bool from_defaults(const std::string& path) const;
    /// Was there a value at exactly this path?
    [[nodiscard]] bool present(const std::string& path) const { return places_.contains(path); }

  private:
    Step step(const std::string& added, std::string_view pattern, const Value& value);

    const KeyInfo& root_;
    std::string path_;
    std::vector<std::string> concrete_;  ///< the path's segments
    std::vector<std::string> pattern_;   ///< likewise, "*" for made-up names, "[]" for indices
    bool in_defaults_ = false;
    std::unordered_set<std::uint64_t> default_marks_;
    std::unordered_map<std::string, Mark> places_;
    std::vector<Problem> problems_;
};

/// " (did you mean pools.aws.limits.pending?)" for a word that is no key of `known`: the nearest of
/// them, or of all keys of the contract below `root`. `concrete` and `pattern` are the segments of
/// the place that we are at. Empty if nothing is near.
[[nodiscard]] std::string suggest_key(std::string_view word,
                                      const std::vector<const KeyInfo*>& known, const KeyInfo& root,
                                      const std::vector<std::string>& pattern,
                                      const std::vector<std::string>& concrete);

}  // namespace scrollgate::config
