# SPDX-License-Identifier: Apache-2.0
# These programs test internals of the room without a sweep, so they include its private headers.
foreach(test test_busy_cores test_groups test_parts test_placement test_cache_limits test_journal test_scheduler test_coordinator test_no_fork)
  target_include_directories(${test} PRIVATE ${PROJECT_SOURCE_DIR}/src/sweep)
endforeach()
foreach(function cs_engine_has_stores cs_engine_free_bytes)
  target_link_options(test_cache_limits PRIVATE -Wl,--wrap=${function})
endforeach()
target_link_options(test_coordinator PRIVATE -Wl,--wrap=fsync)
target_sources(test_coordinator PRIVATE ${PROJECT_SOURCE_DIR}/tests/data/fixture.c)
target_include_directories(test_coordinator PRIVATE ${PROJECT_SOURCE_DIR}/tests/data)

# What test_yaml.py compares with PyYAML.
add_executable(print_yaml sweep/yaml/print_yaml.c)
target_link_libraries(print_yaml PRIVATE cs_sweep cs_flags)
target_include_directories(print_yaml PRIVATE ${PROJECT_SOURCE_DIR}/src/sweep/job)
set_target_properties(print_yaml PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)

# What test_tpe_optuna.py, test_bayes_sklearn.py and tests/bench/search_methods.py run.
foreach(program tpe_values gp_values ask_tell)
  add_executable(${program} sweep/search/${program}.c)
  target_link_libraries(${program} PRIVATE cs_sweep cs_flags)
  target_include_directories(${program} PRIVATE ${PROJECT_SOURCE_DIR}/src/sweep/job)
  set_target_properties(${program} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
endforeach()
