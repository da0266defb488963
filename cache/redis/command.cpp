#include "cache/redis/command.hpp"

#include <array>
#include <cassert>
#include <cstdlib>
#include <vector>

#include <fmt/format.h>
#include <hiredis/hiredis.h>
#include <openssl/evp.h>

#include "cache/redis/slot.hpp"

namespace scrollgate::redis {

void Command::Free::operator()(char* bytes) const noexcept {
    ::redisFreeCommand(bytes);
}

Command::Command(Kind kind, std::span<const std::string_view> words, std::size_t key)
    : kind_(kind) {
    assert(!words.empty() && key < words.size());
    constexpr std::size_t usual = 16;
    std::array<const char*, usual> few_texts;
    std::array<std::size_t, usual> few_sizes;
    std::vector<const char*> many_texts;
    std::vector<std::size_t> many_sizes;
    const char** texts = few_texts.data();
    std::size_t* sizes = few_sizes.data();
    if (words.size() > usual) {
        many_texts.resize(words.size());
        many_sizes.resize(words.size());
        texts = many_texts.data();
        sizes = many_sizes.data();
    }
    for (std::size_t i = 0; i < words.size(); ++i) {
        // hiredis takes a null text for the end.
        texts[i] = words[i].data() == nullptr ? "" : words[i].data();
        sizes[i] = words[i].size();
    }
    char* made = nullptr;
    const int size = ::redisFormatCommandArgv(&made, static_cast<int>(words.size()), texts, sizes);
    if (size > 0) {
        bytes_.reset(made);
        size_ = static_cast<std::size_t>(size);
    }
    has_key_ = key != 0;
    if (has_key_) slot_ = slot_of(words[key]);
}

namespace {

std::string sha1_of(const std::string& text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned size = 0;
    ::EVP_Digest(text.data(), text.size(), digest.data(), &size, ::EVP_sha1(), nullptr);
    std::string hex;
    for (unsigned i = 0; i < size; ++i)
        hex += fmt::format("{:02x}", digest[i]);
    return hex;
}

}  // namespace

Script::Script(std::string text, Command::Kind kind)
    : text_(std::move(text)), sha1_(sha1_of(text_)), kind_(kind) {}

Command script_command(const Script& script, std::span<const std::string_view> keys,
                       std::span<const std::string_view> arguments, bool whole) {
    const std::string count = std::to_string(keys.size());
    std::vector<std::string_view> words = {whole ? "EVAL" : "EVALSHA",
                                           whole ? script.text() : script.sha1(), count};
    words.insert(words.end(), keys.begin(), keys.end());
    words.insert(words.end(), arguments.begin(), arguments.end());
    return {script.kind(), words, keys.empty() ? std::size_t{0} : std::size_t{3}};
}

}  // namespace scrollgate::redis
