#include "proxy/admin/token.hpp"

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

namespace scrollgate {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t secret_bytes = 32;
constexpr std::size_t shortest_secret = 16;
constexpr std::size_t longest_secret = 1024;

std::string cause(int error) {
    return std::error_code(error, std::generic_category()).message();
}

Token failed(const std::string& what, const std::string& file, const std::string& why) {
    return {{}, what + " " + file + ": " + why};
}

// Closes a descriptor when its scope ends.
struct Descriptor {
    explicit Descriptor(int fd_in) : fd(fd_in) {}
    Descriptor(const Descriptor&) = delete;
    ~Descriptor() {
        if (fd >= 0) close(fd);
    }
    int fd;
};

std::string random_hex() {
    std::array<unsigned char, secret_bytes> bytes{};
    if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) return {};
    std::string hex;
    for (const unsigned char byte : bytes) {
        hex += "0123456789abcdef"[byte >> 4];
        hex += "0123456789abcdef"[byte & 15];
    }
    return hex;
}

// Makes the folder and its missing parents.
std::error_code make_folder(const fs::path& folder) {
    std::error_code error;
    if (folder.empty() || fs::exists(folder, error)) return {};
    if (const std::error_code parent = make_folder(folder.parent_path())) return parent;
    if (mkdir(folder.c_str(), geteuid() == 0 ? 0755 : 0700) != 0 && errno != EEXIST) {
        return {errno, std::generic_category()};
    }
    return {};
}

// Writes a complete file under a name of its own, then links it to `file`, which fails if that is
// there: nobody ever sees half a token, and nobody's file is overwritten. 0 or an errno.
int create(const std::string& file, const std::string& secret) {
    const std::string draft = file + "." + std::to_string(getpid()) + ".new";
    const Descriptor out(open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (out.fd < 0) return errno;
    const std::string line = secret + "\n";
    int error = 0;
    const ssize_t written = write(out.fd, line.data(), line.size());
    if (written != static_cast<ssize_t>(line.size())) error = written < 0 ? errno : ENOSPC;
    if (error == 0 && link(draft.c_str(), file.c_str()) != 0) error = errno;
    unlink(draft.c_str());
    return error;
}

// `error_number` is set to an errno if the file could not be opened.
Token read_checked(const std::string& file, bool check_owner, int& error_number) {
    const std::string what = "cannot use the admin token file";
    const Descriptor in(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (in.fd < 0) {
        error_number = errno;
        return failed("cannot read the admin token file", file, cause(error_number));
    }
    struct stat status {};
    if (fstat(in.fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        return failed(what, file, "it is not a regular file; remove it, or set admin.token_file");
    }
    if ((status.st_mode & 077) != 0) {
        return failed(what, file, "others may read or write it; run: chmod 600 " + file);
    }
    if (check_owner && status.st_uid != geteuid() && status.st_uid != 0) {
        return failed(what, file, "it belongs to another user; remove it, or set admin.token_file");
    }
    std::array<char, longest_secret + 2> bytes{};
    const ssize_t count = read(in.fd, bytes.data(), bytes.size());
    std::string secret(bytes.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
    while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r'))
        secret.pop_back();
    bool graphic = true;
    for (const char c : secret)
        graphic = graphic && c > 0x20 && c < 0x7f;
    if (!graphic || secret.size() < shortest_secret || secret.size() > longest_secret) {
        return failed(what, file,
                      "it must hold one line of 16 to 1024 printable characters without spaces; "
                      "remove it and a good one is made at the next start");
    }
    return {std::move(secret), {}};
}

}  // namespace

Token read_token(const std::string& file) {
    int ignored = 0;
    return read_checked(file, false, ignored);
}

Token make_or_read_token(const std::string& file) {
    const std::string advice = "; set admin.token_file to a place that this user may write";
    int open_error = 0;
    Token known = read_checked(file, true, open_error);
    if (open_error != ENOENT) return known;
    if (const std::error_code error = make_folder(fs::path(file).parent_path())) {
        return failed("cannot make the folder of the admin token file", file,
                      error.message() + advice);
    }
    const std::string secret = random_hex();
    if (secret.empty()) {
        return failed("cannot make the admin token", file, "the kernel gives no random bytes");
    }
    const int error = create(file, secret);
    if (error != 0 && error != EEXIST) {
        return failed("cannot make the admin token file", file, cause(error) + advice);
    }
    return read_checked(file, true, open_error);  // ours, or of another start at the same moment
}

bool same_secret(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) return false;
    volatile unsigned char difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        difference = static_cast<unsigned char>(difference | (a[i] ^ b[i]));
    }
    return difference == 0;
}

}  // namespace scrollgate
