// tests/support/job_error.hpp — what a person is told about a job file that is wrong.
#pragma once

#include "stages/loaded_job.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>

namespace bp::test {

struct BadJob {
  std::string_view name, text, message;
  friend void PrintTo(const BadJob& job, std::ostream* out) { *out << job.text; }
};

inline std::string name_of(const ::testing::TestParamInfo<BadJob>& info) {
  return std::string{info.param.name};
}

/// The whole message for a job file "job.toml" with this text, with every registered type; "ok" for
/// none.
inline std::string job_error(std::string_view text) {
  stages::Registry registry;
  stages::register_all(registry);
  try {
    config::Diagnostics diagnostics;
    config::JobSpec spec = config::parse_job(text, "job.toml", true, diagnostics);
    const stages::LoadedJob job{std::move(spec), registry, diagnostics};
    diagnostics.throw_if_any();
    return "ok";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::config);
    return error.what();
  }
}

}  // namespace bp::test
