// OutputFile: a file that is opened before the run, so that nobody waits ten minutes for a folder
// that is not there.
#pragma once

#include <cstdio>
#include <string>

namespace scrollgate::bench {

class OutputFile {
  public:
    /// `name` as users write it: "-" is standard output, and nothing is wanted if it is empty.
    /// Throws BadInput (url.hpp).
    explicit OutputFile(const std::string& name);
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    ~OutputFile();

    [[nodiscard]] bool wanted() const noexcept { return file_ != nullptr; }
    /// It goes where tables go, too.
    [[nodiscard]] bool on_stdout() const noexcept { return file_ == stdout; }
    /// Writes the whole content. What went wrong, in one line; empty if nothing did.
    [[nodiscard]] std::string write(const std::string& text) const;

  private:
    [[nodiscard]] std::string trouble(int error) const;

    const std::string name_;
    std::FILE* file_ = nullptr;
};

/// Writes and flushes all of `text`: 0, or why not (errno).
[[nodiscard]] int write_all(std::FILE* file, const std::string& text);

}  // namespace scrollgate::bench
