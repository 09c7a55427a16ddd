set_tests_properties(test_engine_ranks PROPERTIES ENVIRONMENT
  "LSAN_OPTIONS=suppressions=${CMAKE_CURRENT_SOURCE_DIR}/engine/lsan.supp;OMP_WAIT_POLICY=passive")
