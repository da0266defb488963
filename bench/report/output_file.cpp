#include "bench/report/output_file.hpp"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "bench/plan/url.hpp"

namespace scrollgate::bench {

OutputFile::OutputFile(const std::string& name) : name_(name) {
    if (name.empty()) return;
    file_ = name == "-" ? stdout : std::fopen(name.c_str(), "wb");
    if (file_ == nullptr) throw BadInput(trouble(errno));
}

OutputFile::~OutputFile() {
    if (file_ != nullptr && !on_stdout()) std::fclose(file_);
}

std::string OutputFile::write(const std::string& text) const {
    const int error = write_all(file_, text);
    return error == 0 ? "" : trouble(error);
}

std::string OutputFile::trouble(int error) const {
    return fmt::format("cannot write {}: {}", on_stdout() ? "standard output" : name_,
                       std::strerror(error));
}

int write_all(std::FILE* file, const std::string& text) {
    errno = 0;
    const bool whole = std::fwrite(text.data(), 1, text.size(), file) == text.size();
    if (whole && std::fflush(file) == 0) return 0;
    return errno != 0 ? errno : EIO;
}

}  // namespace scrollgate::bench
