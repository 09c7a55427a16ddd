# SPDX-License-Identifier: Apache-2.0
# These programs test internals of the room without a sweep, so they include its private headers.
foreach(test test_busy_cores test_groups test_parts test_placement test_cache_limits test_journal test_scheduler test_coordinator)
  target_include_directories(${test} PRIVATE ${PROJECT_SOURCE_DIR}/src/sweep)
endforeach()
foreach(function cs_engine_has_stores cs_engine_free_bytes)
  target_link_options(test_cache_limits PRIVATE -Wl,--wrap=${function})
endforeach()
target_link_options(test_coordinator PRIVATE -Wl,--wrap=fsync)
target_sources(test_coordinator PRIVATE ${PROJECT_SOURCE_DIR}/tests/data/fixture.c)
target_include_directories(test_coordinator PRIVATE ${PROJECT_SOURCE_DIR}/tests/data)
