set_property(TEST test_dataset test_features APPEND PROPERTY ENVIRONMENT
  "LSAN_OPTIONS=suppressions=${CMAKE_CURRENT_SOURCE_DIR}/data/lsan.supp:print_suppressions=0")
foreach(function malloc calloc realloc aligned_alloc)
  target_link_options(test_loader PRIVATE -Wl,--wrap=${function})
endforeach()
target_link_libraries(test_jpeg PRIVATE PkgConfig::JPEG)
