// stages/filters/gunzip.hpp — any gzip file back to what it was.
#pragma once

#include "engine/stage.hpp"

#include <memory>

namespace bp::stages {

/// Inflates a row of gzip members, whoever wrote them, and checks all that they state about
/// themselves. Throws Errc::transform for damage (with its place), for an end in the middle of a
/// member or before the end mark that ours have, for bytes behind the last member (padding too),
/// and for no input at all.
[[nodiscard]] std::unique_ptr<Filter> gunzip_filter();

}  // namespace bp::stages
