# SPDX-License-Identifier: Apache-2.0
# Finds NCCL 2: target NCCL::nccl. In the CUDA toolkit or beside it, as FindcuDNN.
set(nccl_hints ${CUDAToolkit_LIBRARY_DIR}/.. ${CUDAToolkit_LIBRARY_DIR}/../../nccl)
find_path(NCCL_INCLUDE_DIR NAMES nccl.h HINTS ${nccl_hints} ${CUDAToolkit_INCLUDE_DIRS} PATH_SUFFIXES include)
find_library(NCCL_LIBRARY NAMES nccl libnccl.so.2 HINTS ${nccl_hints} PATH_SUFFIXES lib64 lib)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(NCCL REQUIRED_VARS NCCL_LIBRARY NCCL_INCLUDE_DIR)
if(NCCL_FOUND AND NOT TARGET NCCL::nccl)
  add_library(NCCL::nccl UNKNOWN IMPORTED)
  set_target_properties(NCCL::nccl PROPERTIES IMPORTED_LOCATION ${NCCL_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${NCCL_INCLUDE_DIR})
endif()
