// tools/output/resolved.hpp — every setting of a job, its value and where that comes from.
#pragma once

#include "stages/loaded_job.hpp"

#include <string>

namespace bp::tools {

/// One line per setting, by table, in the order of the file: "level = 6    # default".
[[nodiscard]] std::string resolved_text(const stages::LoadedJob& job);

}  // namespace bp::tools
