# SPDX-License-Identifier: Apache-2.0
# How groups are made and parts divided, how much they may take, when trials end, what a journal holds, what the coordinator does
# and what is told of the launch is internal to the room: judged without a sweep.
foreach(test test_busy_cores test_groups test_parts test_placement test_cache_limits test_journal test_scheduler test_coordinator)
  target_include_directories(${test} PRIVATE ${PROJECT_SOURCE_DIR}/src/sweep)
endforeach()
foreach(function cs_engine_has_stores cs_engine_store_room)
  target_link_options(test_cache_limits PRIVATE -Wl,--wrap=${function})
endforeach()
target_link_options(test_coordinator PRIVATE -Wl,--wrap=fsync)
target_sources(test_coordinator PRIVATE ${PROJECT_SOURCE_DIR}/tests/data/fixture.c)
target_include_directories(test_coordinator PRIVATE ${PROJECT_SOURCE_DIR}/tests/data)
