# BuildFlags.cmake - how every target of the project is compiled: warnings, hardening, sanitizers, PCH.

set(BACKUP_PIPE_SANITIZE "" CACHE STRING "Sanitizer build: empty, 'address' (ASan+UBSan) or 'thread'")
set_property(CACHE BACKUP_PIPE_SANITIZE PROPERTY STRINGS "" address thread)
option(BACKUP_PIPE_WERROR "Treat warnings as errors" ON)

find_program(BP_CCACHE ccache)
if(BP_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Precompiled headers are hashed by ccache only when it is told that their defines are stable.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} ${BP_CCACHE})
endif()

add_library(bp_flags INTERFACE)
target_compile_features(bp_flags INTERFACE cxx_std_20)
target_include_directories(bp_flags INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
target_compile_definitions(bp_flags INTERFACE
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_SEPARATE_COMPILATION BOOST_PROCESS_USE_STD_FS)
# The prefix map keeps this folder's name out of debug information, so that ccache finds again in a fresh
# clone what it compiled in another.
target_compile_options(bp_flags INTERFACE
  -fdebug-prefix-map=${CMAKE_SOURCE_DIR}=. -fpch-preprocess
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor
  -Wold-style-cast -Wcast-qual -Woverloaded-virtual -Wundef -Winvalid-pch
  $<$<BOOL:${BACKUP_PIPE_WERROR}>:-Werror>)

# Hardening (FAULTS 43): tools/check-hardening reads these back from the finished binary.
# Every library here ends up in an executable, and a precompiled header wants one setting for all: -fPIE.
target_compile_options(bp_flags INTERFACE -fPIE -fstack-protector-strong -fstack-clash-protection -fcf-protection)
target_link_options(bp_flags INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack)
if(NOT BACKUP_PIPE_SANITIZE)
  target_compile_options(bp_flags INTERFACE $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=3>)
  # ThreadSanitizer and mold disagree about TLS layout; plain builds link several times faster with it.
  find_program(BP_MOLD mold)
  if(BP_MOLD)
    target_link_options(bp_flags INTERFACE -fuse-ld=mold)
  endif()
elseif(BACKUP_PIPE_SANITIZE STREQUAL "address")
  target_compile_options(bp_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(bp_flags INTERFACE -fsanitize=address,undefined)
elseif(BACKUP_PIPE_SANITIZE STREQUAL "thread")
  # TSan cannot follow asio's standalone fences.
  target_compile_definitions(bp_flags INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
  target_compile_options(bp_flags INTERFACE -fsanitize=thread -fno-omit-frame-pointer -Wno-tsan)
  target_link_options(bp_flags INTERFACE -fsanitize=thread)
else()
  message(FATAL_ERROR "BACKUP_PIPE_SANITIZE must be empty, 'address' or 'thread', not '${BACKUP_PIPE_SANITIZE}'")
endif()

# bp_precompile(<target>): the one precompiled header of the tree, built once with bp_engine's flags.
function(bp_precompile target)
  target_precompile_headers(${target} REUSE_FROM bp_engine)
endfunction()
