// JsonBody: the body of a command to the admin API, a JSON object with known keys.
//
// Takes the members one by one; the first thing that is wrong stays. Control thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

namespace scrollgate {

class JsonBody {
  public:
    /// `known`: its keys; `example`: a body that would be right, or empty. No text is no member.
    JsonBody(std::string_view text, const std::vector<std::string_view>& known,
             std::string_view example);

    void fail(const std::string& why);
    /// The member, or nullptr.
    [[nodiscard]] const boost::json::value* find(std::string_view key) const {
        return members_.if_contains(key);
    }
    /// The member as text or switch, `otherwise` if it is missing; fails if it is something else.
    [[nodiscard]] std::string text(std::string_view key);
    [[nodiscard]] bool flag(std::string_view key, bool otherwise);
    /// Empty if all is well.
    [[nodiscard]] const std::string& wrong() const noexcept { return wrong_; }

  private:
    void read(std::string_view text, const std::vector<std::string_view>& known);

    std::string_view example_;
    boost::json::object members_;
    std::string wrong_;
};

}  // namespace scrollgate
