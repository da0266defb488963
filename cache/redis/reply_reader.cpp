#include "cache/redis/reply_reader.hpp"

#include <hiredis/read.h>

#include "core/limits.hpp"

namespace scrollgate::redis {
namespace {

constexpr std::size_t longest_line = 64 * limits::KiB;
constexpr std::size_t longest_number = 32;  ///< of a header: digits, sign, line end

Reply::Kind kind_of(int type) noexcept {
    switch (type) {
        case REDIS_REPLY_STRING:
            return Reply::Kind::text;
        case REDIS_REPLY_STATUS:
            return Reply::Kind::status;
        case REDIS_REPLY_ERROR:
            return Reply::Kind::error;
        case REDIS_REPLY_INTEGER:
            return Reply::Kind::integer;
        case REDIS_REPLY_ARRAY:
            return Reply::Kind::array;
        default:
            return Reply::Kind::nil;
    }
}

}  // namespace

/// How hiredis makes what it has read. A null answer ends the reading.
struct ReplyReader::Objects {
    static ReplyReader& owner(const redisReadTask* task) noexcept {
        return *static_cast<ReplyReader*>(task->privdata);
    }
    // The first object of a reply is its own, the others are elements of one that is there.
    static Reply* make(const redisReadTask* task, Reply::Kind kind) {
        Reply* reply = nullptr;
        if (task->parent == nullptr) {
            owner(task).elements_ = 0;
            reply = new Reply;
        } else {
            auto* array = static_cast<Reply*>(task->parent->obj);
            reply = &array->elements[static_cast<std::size_t>(task->idx)];
        }
        reply->kind = kind;
        return reply;
    }
    static void* text(const redisReadTask* task, char* bytes, std::size_t size) {
        // hiredis has seen that two bytes follow, not which.
        if (bytes[size] != '\r' || bytes[size + 1] != '\n') {
            owner(task).wrong_ = "a text does not end where it should";
            return nullptr;
        }
        Reply* reply = make(task, kind_of(task->type));
        reply->text.assign(bytes, size);
        return reply;
    }
    static void* array(const redisReadTask* task, int size) {
        ReplyReader& self = owner(task);
        const std::size_t before = task->parent == nullptr ? 0 : self.elements_;
        const auto count = static_cast<std::size_t>(size);
        if (size < 0 || before + count > limits::redis_elements) {
            self.wrong_ = "too many elements";
            return nullptr;
        }
        Reply* reply = make(task, Reply::Kind::array);
        self.elements_ = before + count;
        reply->elements.resize(count);
        return reply;
    }
    static void* integer(const redisReadTask* task, long long value) {
        Reply* reply = make(task, Reply::Kind::integer);
        reply->integer = value;
        return reply;
    }
    static void* nil(const redisReadTask* task) { return make(task, Reply::Kind::nil); }
    static void free(void* reply) { delete static_cast<Reply*>(reply); }

    static redisReplyObjectFunctions* all() {
        static redisReplyObjectFunctions functions = {text, array, integer, nil, free};
        return &functions;
    }
};

void ReplyReader::Free::operator()(redisReader* reader) const noexcept {
    ::redisReaderFree(reader);
}

ReplyReader::ReplyReader(std::size_t most)
    : reader_(::redisReaderCreateWithFunctions(Objects::all())), most_(most) {
    if (reader_) reader_->privdata = this;
}

ReplyReader::~ReplyReader() = default;

void ReplyReader::feed(std::string_view bytes) {
    if (!wrong_.empty()) return;
    if (!reader_ || ::redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK) {
        wrong_ = "out of memory";
        return;
    }
    bytes_ += bytes.size();
}

ReplyReader::Next ReplyReader::next(Reply& into) {
    if (!wrong_.empty()) return Next::broken;
    void* made = nullptr;
    if (::redisReaderGetReply(reader_.get(), &made) != REDIS_OK) {
        return fail(wrong_.empty() ? "no reply of Redis'" : wrong_);
    }
    if (made == nullptr) {
        if (bytes_ > most_) return fail("a reply is too long");
        return endless() ? fail("a line is too long") : Next::more;
    }
    const std::unique_ptr<Reply> reply(static_cast<Reply*>(made));
    bytes_ = reader_->len - reader_->pos;
    into = std::move(*reply);
    return Next::reply;
}

/// A line that does not end would be searched from its start with every read.
bool ReplyReader::endless() const noexcept {
    const std::string_view rest(reader_->buf + reader_->pos, reader_->len - reader_->pos);
    if (rest.size() <= longest_number || reader_->ridx < 0) return false;
    const int type = reader_->rstack[reader_->ridx].type;
    const bool counted = type == REDIS_REPLY_STRING || type == REDIS_REPLY_ARRAY;
    if (!counted && type != REDIS_REPLY_INTEGER) return rest.size() > longest_line;
    return rest.substr(0, longest_number).find("\r\n") == std::string_view::npos;
}

ReplyReader::Next ReplyReader::fail(std::string_view wrong) noexcept {
    wrong_ = wrong;
    return Next::broken;
}

}  // namespace scrollgate::redis
