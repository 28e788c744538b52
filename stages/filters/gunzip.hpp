// stages/filters/gunzip.hpp — any gzip file back to what it was.
#pragma once

#include "engine/stage.hpp"

#include <memory>

namespace bp::stages {

/// Inflates a stream of one or more gzip members, whoever wrote them, and checks all that they
/// state about themselves. Throws Errc::transform for damage, for an end in the middle of a member,
/// for bytes behind the last member (padding too) and for no input at all.
[[nodiscard]] std::unique_ptr<Filter> gunzip_filter();

}  // namespace bp::stages
