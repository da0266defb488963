// OutputFile: a file that is opened before the run, so that nobody waits ten minutes for a folder
// that is not there.
#pragma once

#include <cstdio>
#include <string>

namespace scrollgate::bench {

class OutputFile {
  public:
    /// Nothing if `name` is empty. Throws BadInput (url.hpp).
    explicit OutputFile(const std::string& name);
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    ~OutputFile();

    [[nodiscard]] bool wanted() const noexcept { return file_ != nullptr; }
    /// The whole content. Throws BadInput.
    void write(const std::string& text) const;

  private:
    [[nodiscard]] std::string trouble() const;

    const std::string name_;
    std::FILE* file_ = nullptr;
};

}  // namespace scrollgate::bench
