# SPDX-License-Identifier: Apache-2.0
# cs_flags: what every target of the project is compiled with.
add_library(cs_flags INTERFACE)
configure_file(${PROJECT_SOURCE_DIR}/include/cnnsweep/version.h.in
  ${PROJECT_BINARY_DIR}/include/cnnsweep/version.h @ONLY)
target_include_directories(cs_flags INTERFACE ${PROJECT_SOURCE_DIR}/include ${PROJECT_BINARY_DIR}/include)
target_compile_definitions(cs_flags INTERFACE _POSIX_C_SOURCE=200809L)
target_compile_options(cs_flags INTERFACE -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
  -Wpointer-arith -Wvla -Wwrite-strings)
if(CNNSWEEP_WERROR)
  target_compile_options(cs_flags INTERFACE -Werror)
endif()
if(CNNSWEEP_SANITIZE)
  # What sanitizers add hides from GCC how long a text can be.
  target_compile_options(cs_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined
    -fno-omit-frame-pointer -Wno-format-truncation)
  target_link_options(cs_flags INTERFACE -fsanitize=address,undefined)
endif()
if(CNNSWEEP_FUZZ)
  target_compile_options(cs_flags INTERFACE -fsanitize=fuzzer-no-link,address,undefined
    -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(cs_flags INTERFACE -fsanitize=address,undefined)
endif()
