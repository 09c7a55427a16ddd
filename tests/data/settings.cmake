# SPDX-License-Identifier: Apache-2.0
set_property(TEST test_dataset test_features APPEND PROPERTY ENVIRONMENT
  "LSAN_OPTIONS=suppressions=${CMAKE_CURRENT_SOURCE_DIR}/data/lsan.supp:print_suppressions=0")
foreach(function malloc calloc realloc aligned_alloc)
  target_link_options(test_loader PRIVATE -Wl,--wrap=${function})
endforeach()
target_link_options(test_filtered PRIVATE -Wl,--wrap=cs_filter_apply)
target_link_libraries(test_jpeg PRIVATE PkgConfig::JPEG)

# This is cnnsweep-pack with one more source, which is added as ARCHITECTURE.md describes: a file and its name in the table.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/data-prep/pack/source/source.c)
file(READ ${PROJECT_SOURCE_DIR}/data-prep/pack/source/source.c table)
string(REPLACE "extern const pack_source " "extern const pack_source pack_gray_source, " changed "${table}")
string(REPLACE "&pack_folder_source}" "&pack_folder_source, &pack_gray_source}" changed "${changed}")
file(WRITE ${PROJECT_BINARY_DIR}/tests/data/source.c "${changed}")
set(gray_sources ${pack_sources})
list(FILTER gray_sources EXCLUDE REGEX "/source/source\\.c$")
add_executable(pack_gray ${gray_sources} data/sources/gray.c ${PROJECT_BINARY_DIR}/tests/data/source.c)
set_target_properties(pack_gray PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
target_include_directories(pack_gray PRIVATE ${PROJECT_SOURCE_DIR}/data-prep/pack/source ${CSV_INCLUDE_DIR})
target_link_libraries(pack_gray PRIVATE cs_data cs_flags PkgConfig::ARCHIVE ${CSV_LIBRARY})

target_sources(test_duplicates PRIVATE ${PROJECT_SOURCE_DIR}/data-prep/pack/duplicates.c
  ${PROJECT_SOURCE_DIR}/data-prep/pack/hash.c ${PROJECT_SOURCE_DIR}/data-prep/pack/hash_kernels.c)
target_include_directories(test_duplicates PRIVATE ${PROJECT_SOURCE_DIR}/data-prep/pack)
