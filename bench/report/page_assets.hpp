// Style sheet and script of the page. Neither takes anything from a report.
#pragma once

#include <string_view>

namespace scrollgate::bench {

extern const std::string_view page_style;
/// Shows data-tip of the column under the pointer, or of the one that the arrow keys chose. Leaves
/// the number of charts in data-ready of the root element when it is set up.
extern const std::string_view page_script;

}  // namespace scrollgate::bench
