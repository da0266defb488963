#include "bench/report/output_file.hpp"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "bench/plan/url.hpp"

namespace scrollgate::bench {

OutputFile::OutputFile(const std::string& name) : name_(name) {
    if (name.empty()) return;
    file_ = std::fopen(name.c_str(), "wb");
    if (file_ == nullptr) throw BadInput(trouble());
}

OutputFile::~OutputFile() {
    if (file_ != nullptr) std::fclose(file_);
}

void OutputFile::write(const std::string& text) const {
    const bool whole = std::fwrite(text.data(), 1, text.size(), file_) == text.size();
    if (!whole || std::fflush(file_) != 0) throw BadInput(trouble());
}

std::string OutputFile::trouble() const {
    return fmt::format("cannot write {}: {}", name_, std::strerror(errno));
}

}  // namespace scrollgate::bench
