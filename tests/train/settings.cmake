# Early stopping is internal to the room.
target_include_directories(test_early_stopping PRIVATE ${PROJECT_SOURCE_DIR}/src/train)
foreach(function malloc calloc realloc aligned_alloc posix_memalign cs_program_load)
  target_link_options(test_no_allocation PRIVATE -Wl,--wrap=${function})
endforeach()
target_link_options(test_group PRIVATE -Wl,--wrap=cs_params_init)
foreach(function cs_params_init cs_features_append)
  target_link_options(test_features_mode PRIVATE -Wl,--wrap=${function})
endforeach()
# OpenMP's threads wait actively by default: minutes where other tests take the cores.
set_tests_properties(test_group PROPERTIES ENVIRONMENT OMP_WAIT_POLICY=passive)
