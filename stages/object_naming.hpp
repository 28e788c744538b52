// stages/object_naming.hpp — what happens when an object of that name exists already.
#pragma once

#include "stages/assemble.hpp"

#include <boost/asio/awaitable.hpp>

#include <vector>

namespace bp::stages {

/// The names for a source's objects after asking every destination (`on_exists`): as they are, or
/// all with
/// "-HHMMSS" before the extension, alike everywhere. Throws Errc::destination with on_exists =
/// "fail" when one exists. A store that does not answer decides nothing here: its sink's preflight
/// tells why.
[[nodiscard]] asio::awaitable<std::vector<ObjectName>> settle_names(
    const LoadedJob& job, const config::SourceSection& source, const RunIdentity& identity);

}  // namespace bp::stages
