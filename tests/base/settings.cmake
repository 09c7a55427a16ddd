# SPDX-License-Identifier: Apache-2.0
add_library(cs_test_copy MODULE ${CMAKE_CURRENT_SOURCE_DIR}/base/links/copy.c)
set_target_properties(cs_test_copy PROPERTIES C_VISIBILITY_PRESET hidden LIBRARY_OUTPUT_DIRECTORY
  ${PROJECT_BINARY_DIR}/tests)
target_link_libraries(cs_test_copy PRIVATE cs_base)
target_link_options(cs_test_copy PRIVATE -Wl,-z,defs -Wl,--exclude-libs,ALL)
add_dependencies(test_links cs_test_copy)
target_compile_definitions(test_links PRIVATE CS_TEST_COPY="${PROJECT_BINARY_DIR}/tests/libcs_test_copy.so")
target_link_libraries(test_links PRIVATE ${CMAKE_DL_LIBS})
