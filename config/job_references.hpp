// config/job_references.hpp — what concerns several tables of a job file: names that lead to other
// tables.
#pragma once

#include "config/diagnostics.hpp"
#include "config/job.hpp"

namespace bp::config {

/// Records a missing source or destination, names of destinations that do not exist, a
/// `min_success` that cannot be reached, and every `from` that does not end at a source. `file` is
/// where what is missing is reported. Takes time in proportion to the file, however its tables
/// refer to each other.
void check_references(const JobSpec& spec, const Location& file, Diagnostics& diagnostics);

}  // namespace bp::config
