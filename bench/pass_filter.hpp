// bench/pass_filter.hpp — filters that hand on what they get: what a hop between two stages costs.
#pragma once

#include "stages/registry.hpp"

namespace bp::bench {

/// Adds the filter types "pass" (a coroutine) and "pass-thread" (a thread of its own).
void register_pass_filters(stages::Registry& registry);

}  // namespace bp::bench
