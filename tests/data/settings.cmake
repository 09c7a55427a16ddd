set_tests_properties(test_dataset test_features PROPERTIES ENVIRONMENT
  "LSAN_OPTIONS=suppressions=${CMAKE_CURRENT_SOURCE_DIR}/data/lsan.supp:print_suppressions=0")
foreach(function malloc calloc realloc aligned_alloc)
  target_link_options(test_loader PRIVATE -Wl,--wrap=${function})
endforeach()
# Makes locks of files fail: for LD_PRELOAD in tests/cli.
add_library(cs_no_locks MODULE cli/no_locks.c)
set_target_properties(cs_no_locks PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
target_link_libraries(cs_no_locks PRIVATE ${CMAKE_DL_LIBS})
target_link_libraries(test_jpeg PRIVATE PkgConfig::JPEG)
