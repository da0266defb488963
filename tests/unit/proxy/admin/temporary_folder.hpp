// A folder that lives as long as its object.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace scrollgate::test {

class TemporaryFolder {
  public:
    TemporaryFolder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "folder_XXXXXX").string();
        if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
        path_ = pattern;
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] std::string operator/(const std::string& name) const {
        return path_ + "/" + name;
    }

    /// Writes a file with exactly this mode; returns its path.
    std::string file(const std::string& name, const std::string& content,
                     std::filesystem::perms mode = std::filesystem::perms(0600)) const {
        const std::string path = *this / name;
        std::ofstream(path) << content;
        std::filesystem::permissions(path, mode);
        return path;
    }

  private:
    std::string path_;
};

}  // namespace scrollgate::test
