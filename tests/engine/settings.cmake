# SPDX-License-Identifier: Apache-2.0
set_property(TEST test_engine_ranks APPEND PROPERTY ENVIRONMENT
  LSAN_OPTIONS=suppressions=${CMAKE_CURRENT_SOURCE_DIR}/engine/lsan.supp)
# This part of the CUDA engine does not depend on CUDA.
target_sources(test_engine_plan_cache PRIVATE ${PROJECT_SOURCE_DIR}/src/engine/cuda/plan_cache.c)
set_source_files_properties(engine/test_engine_plan_cache.c PROPERTIES INCLUDE_DIRECTORIES
  ${PROJECT_SOURCE_DIR}/src/engine)

# The CUDA engine's kernels, compiled for the host.
if(CMAKE_CXX_COMPILER)
  file(GLOB kernel_tests CONFIGURE_DEPENDS engine/test_cuda_*.c)
  foreach(source ${kernel_tests})
    get_filename_component(name ${source} NAME_WE)
    target_sources(${name} PRIVATE $<TARGET_OBJECTS:cs_cuda_host_kernels>)
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src/engine)
  endforeach()
  target_link_libraries(test_cuda_convert PRIVATE cs_data)
endif()
