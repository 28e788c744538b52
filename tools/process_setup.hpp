// tools/process_setup.hpp — what the process does to itself before anything else.
#pragma once

namespace bp::tools {

/// No core dumps and no ptrace by others (secrets live in our memory), orphaned grandchildren come
/// to us (so that they can be waited for), SIGPIPE is an error code, files are ours alone (umask
/// 077).
void set_up_process();

}  // namespace bp::tools
