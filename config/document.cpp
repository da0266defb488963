#include "config/document.hpp"

#include <algorithm>
#include <sstream>
#include <stdexcept>
#include <unordered_map>

#include <fmt/format.h>
#include <yaml-cpp/anchor.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "config/text_check.hpp"

namespace scrollgate::config {
namespace {

/// Raised by the builder to stop the parser; never leaves this file.
struct Refused {
    Mark mark;
    std::string message;
};

class Lines {
  public:
    explicit Lines(std::string_view text) : text_(text) {
        for (std::size_t at = text.find('\n'); at != text.npos; at = text.find('\n', at + 1))
            starts_.push_back(at + 1);
    }
    [[nodiscard]] Mark mark(const YAML::Mark& from) const {
        if (from.line < 0 || from.column < 0) return {};
        const auto line = static_cast<std::size_t>(from.line);
        const std::string_view rest =
            line < starts_.size() ? text_.substr(starts_[line]) : std::string_view();
        return place_of(rest, line, static_cast<std::size_t>(from.column));
    }

  private:
    std::string_view text_;
    std::vector<std::size_t> starts_{0};
};

using Building = std::shared_ptr<Value>;

/// Moves what `<<` names into the map itself; keys that the map has win.
void apply_merge_key(Value& map) {
    const auto at = std::find_if(map.entries.begin(), map.entries.end(),
                                 [](const Value::Entry& entry) { return entry.key == "<<"; });
    if (at == map.entries.end()) return;
    const ValuePtr merge = at->value;
    const Mark mark = at->mark;
    map.entries.erase(at);
    std::vector<ValuePtr> sources = merge->is_sequence() ? merge->items : std::vector{merge};
    for (const ValuePtr& source : sources) {
        if (!source->is_map()) throw Refused{mark, "'<<' needs a map, such as *name of one"};
        for (const Value::Entry& entry : source->entries)
            if (map.find(entry.key) == nullptr) map.entries.push_back(entry);
    }
}

/// Drops keys that stand twice, remembering where.
void drop_doubled(Value& map) {
    std::unordered_map<std::string_view, std::size_t> index;
    std::vector<Value::Entry> kept;
    kept.reserve(map.entries.size());  // no reallocation: the index views into `kept`
    for (Value::Entry& entry : map.entries) {
        if (const auto first = index.find(entry.key); first != index.end()) {
            map.doubled.push_back({entry.key, entry.mark, kept[first->second].mark});
            continue;
        }
        kept.push_back(std::move(entry));
        index.emplace(kept.back().key, kept.size() - 1);
    }
    map.entries = std::move(kept);
}

class Builder final : public YAML::EventHandler {
  public:
    explicit Builder(std::string_view text) : lines_(text) {}

    [[nodiscard]] const Lines& lines() const noexcept { return lines_; }
    [[nodiscard]] const ValuePtr& root() const noexcept { return root_; }

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (documents_++ > 0)
            throw Refused{lines_.mark(mark), "a second document; a configuration is one document"};
    }
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        add(fresh(Value::Kind::null, mark, "?"), anchor);
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto found = anchors_.find(anchor);
        if (found == anchors_.end())
            throw Refused{lines_.mark(mark), "an alias inside the value that it stands for"};
        add_value(found->second, lines_.mark(mark));
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& text) override {
        Building value = fresh(Value::Kind::scalar, mark, tag);
        value->text = text;
        add(value, anchor);
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(Value::Kind::sequence, mark, tag, anchor);
    }
    void OnSequenceEnd() override { close(); }

    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(Value::Kind::map, mark, tag, anchor);
    }
    void OnMapEnd() override {
        drop_doubled(*open_.back().value);
        apply_merge_key(*open_.back().value);
        close();
    }

  private:
    struct Open {
        Building value;
        YAML::anchor_t anchor;
        bool has_key = false;  // of a map: a key waits for its value
        std::string key;
        Mark key_mark;
    };

    Building fresh(Value::Kind kind, const YAML::Mark& mark, const std::string& tag) {
        auto value = std::make_shared<Value>();
        value->kind = kind;
        value->mark = lines_.mark(mark);
        if (tag.size() > 1 && !tag.starts_with("tag:yaml.org,2002:")) value->tag = tag;
        return value;
    }

    void open(Value::Kind kind, const YAML::Mark& mark, const std::string& tag,
              YAML::anchor_t anchor) {
        if (open_.size() >= max_depth)
            throw Refused{lines_.mark(mark),
                          fmt::format("nested more than {} levels deep", max_depth)};
        open_.push_back({fresh(kind, mark, tag), anchor, false, {}, {}});
    }

    void close() {
        Open done = std::move(open_.back());
        open_.pop_back();
        add(done.value, done.anchor);
    }

    void add(const ValuePtr& value, YAML::anchor_t anchor) {
        if (anchor != 0) anchors_[anchor] = value;
        add_value(value, value->mark);
    }

    void add_value(const ValuePtr& value, Mark mark) {
        if (open_.empty()) {
            root_ = value;
            return;
        }
        Open& parent = open_.back();
        if (parent.value->is_map() && !parent.has_key) {
            if (!value->is_scalar()) throw Refused{mark, "a key must be a text"};
            parent.has_key = true;
            parent.key = value->text;
            parent.key_mark = mark;
            return;
        }
        parent.value->nodes += value->nodes;
        if (parent.value->nodes > max_nodes)
            throw Refused{mark, fmt::format("more than {} values, aliases followed", max_nodes)};
        if (parent.value->is_map()) {
            // The parser places nothing at whatever comes next; its key is where to look.
            if (value->is_null()) {
                auto nothing = std::make_shared<Value>(*value);
                nothing->mark = parent.key_mark;
                parent.value->entries.push_back({std::move(parent.key), parent.key_mark, nothing});
                parent.has_key = false;
                return;
            }
            parent.value->entries.push_back({std::move(parent.key), parent.key_mark, value});
            parent.has_key = false;
        } else {
            parent.value->items.push_back(value);
        }
    }

    Lines lines_;
    std::vector<Open> open_;
    std::unordered_map<YAML::anchor_t, ValuePtr> anchors_;
    ValuePtr root_;
    int documents_ = 0;
};

Problem at(Mark mark, std::string message) {
    return {Problem::Severity::error, mark.line, mark.column, "", std::move(message)};
}

}  // namespace

const Value* Value::find(std::string_view key) const noexcept {
    for (const Entry& entry : entries)
        if (entry.key == key) return entry.value.get();
    return nullptr;
}

Document parse_document(std::string_view text) {
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    if (auto problem = check_bytes(text)) return {nullptr, std::move(problem)};
    Builder builder(text);
    try {
        std::istringstream stream{std::string(text)};
        YAML::Parser parser(stream);
        while (parser.HandleNextDocument(builder)) {
        }
    } catch (const Refused& refused) {
        return {nullptr, at(refused.mark, refused.message)};
    } catch (const YAML::Exception& error) {
        const auto line = static_cast<std::size_t>(std::max(error.mark.line, 0));
        const auto column = static_cast<std::size_t>(std::max(error.mark.column, 0));
        return {nullptr, explain_syntax(text, error.msg, line, column)};
    } catch (const std::runtime_error& error) {  // yaml-cpp's own "internal error"
        return {nullptr, at({}, fmt::format("not YAML: {}", error.what()))};
    }
    ValuePtr root = builder.root();
    if (!root) root = std::make_shared<Value>();
    return {std::move(root), std::nullopt};
}

ValuePtr merged(const ValuePtr& base, const ValuePtr& over) {
    if (!base || base->is_null()) return over;
    if (!over || over->is_null()) return base;
    if (!base->is_map() || !over->is_map()) return over;
    auto result = std::make_shared<Value>(*over);
    std::unordered_map<std::string_view, std::size_t> index;
    for (std::size_t i = 0; i < over->entries.size(); ++i)
        index.emplace(over->entries[i].key, i);
    for (const Value::Entry& entry : base->entries) {
        const auto found = index.find(entry.key);
        if (found == index.end())
            result->entries.push_back(entry);
        else
            result->entries[found->second].value =
                merged(entry.value, over->entries[found->second].value);
    }
    return result;
}

}  // namespace scrollgate::config
