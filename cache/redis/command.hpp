// Command: one command to Redis, ready to be sent, with what decides where it goes.
//
// It is written down (by hiredis) when it is made: one copy of the words, none afterwards, and
// nothing of the caller's needs to stay. A value; any thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace scrollgate::redis {

class Command {
  public:
    enum class Kind : std::uint8_t {
        read,    ///< a replica may be asked, where the configuration allows that
        master,  ///< asks for what is certain, or removes: taken even where memory is short
        write,   ///< may be refused where memory is short, and waits then
    };

    /// `words` as on a command line, each any bytes. `key` is the index of the (first) key, which
    /// decides the node in a cluster; 0: there is none, any node does.
    Command(Kind kind, std::span<const std::string_view> words, std::size_t key = 1);

    // Not to be called inside the arguments of a co_await: name the command first.
    [[nodiscard]] static Command read(std::initializer_list<std::string_view> words,
                                      std::size_t key = 1) {
        return {Kind::read, {words.begin(), words.size()}, key};
    }
    [[nodiscard]] static Command master(std::initializer_list<std::string_view> words,
                                        std::size_t key = 1) {
        return {Kind::master, {words.begin(), words.size()}, key};
    }
    [[nodiscard]] static Command write(std::initializer_list<std::string_view> words,
                                       std::size_t key = 1) {
        return {Kind::write, {words.begin(), words.size()}, key};
    }

    /// The server may hold the answer back for as long as the caller waits (XREAD BLOCK): silence
    /// is no sign of trouble. What is sent behind it on the same client waits, too.
    [[nodiscard]] Command&& blocking() && noexcept {
        blocks_ = true;
        return std::move(*this);
    }

    [[nodiscard]] Kind kind() const noexcept { return kind_; }
    [[nodiscard]] bool blocks() const noexcept { return blocks_; }
    [[nodiscard]] bool has_key() const noexcept { return has_key_; }
    /// The key's slot in a cluster; 0 without a key.
    [[nodiscard]] std::uint16_t slot() const noexcept { return slot_; }
    /// As it goes over the wire; empty if memory was short.
    [[nodiscard]] std::string_view wire() const noexcept { return {bytes_.get(), size_}; }

  private:
    struct Free {
        void operator()(char* bytes) const noexcept;
    };
    std::unique_ptr<char, Free> bytes_;
    std::size_t size_ = 0;
    std::uint16_t slot_ = 0;
    Kind kind_;
    bool blocks_ = false, has_key_ = false;
};

/// A script for EVALSHA, with its name. Immutable; any thread.
class Script {
  public:
    explicit Script(std::string text, Command::Kind kind = Command::Kind::write);
    [[nodiscard]] Command::Kind kind() const noexcept { return kind_; }
    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    /// SHA-1 in lower case hex.
    [[nodiscard]] const std::string& sha1() const noexcept { return sha1_; }

  private:
    std::string text_, sha1_;
    Command::Kind kind_;
};

/// EVALSHA, or EVAL if `whole`. Keys come first; the first one decides the node.
[[nodiscard]] Command script_command(const Script& script, std::span<const std::string_view> keys,
                                     std::span<const std::string_view> arguments,
                                     bool whole = false);

}  // namespace scrollgate::redis
