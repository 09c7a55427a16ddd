set_tests_properties(test_engine_ranks PROPERTIES ENVIRONMENT
  "LSAN_OPTIONS=suppressions=${CMAKE_CURRENT_SOURCE_DIR}/engine/lsan.supp;OMP_WAIT_POLICY=passive")
# A part of the CUDA engine that knows no GPU.
target_sources(test_engine_plan_cache PRIVATE ${PROJECT_SOURCE_DIR}/src/engine/cuda/plan_cache.c)
set_source_files_properties(engine/test_engine_plan_cache.c PROPERTIES INCLUDE_DIRECTORIES
  ${PROJECT_SOURCE_DIR}/src/engine)
