# SPDX-License-Identifier: Apache-2.0
# Finds cuDNN 9: target cuDNN::cudnn, cuDNN_VERSION. It lies in the CUDA toolkit, or beside it as the pip packages have
# it, where libraries have no unversioned names. After find_package(CUDAToolkit).
set(cudnn_hints ${CUDAToolkit_LIBRARY_DIR}/.. ${CUDAToolkit_LIBRARY_DIR}/../../cudnn)
find_path(cuDNN_INCLUDE_DIR NAMES cudnn.h HINTS ${cudnn_hints} ${CUDAToolkit_INCLUDE_DIRS} PATH_SUFFIXES include)
find_library(cuDNN_LIBRARY NAMES cudnn libcudnn.so.9 HINTS ${cudnn_hints} PATH_SUFFIXES lib64 lib)
if(cuDNN_INCLUDE_DIR)
  file(STRINGS ${cuDNN_INCLUDE_DIR}/cudnn_version.h version_lines REGEX "#define CUDNN_(MAJOR|MINOR|PATCHLEVEL) ")
  string(REGEX REPLACE "[^0-9;]" "" cuDNN_VERSION "${version_lines}")
  string(REPLACE ";" "." cuDNN_VERSION "${cuDNN_VERSION}")
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(cuDNN REQUIRED_VARS cuDNN_LIBRARY cuDNN_INCLUDE_DIR VERSION_VAR cuDNN_VERSION)
if(cuDNN_FOUND AND NOT TARGET cuDNN::cudnn)
  add_library(cuDNN::cudnn UNKNOWN IMPORTED)
  set_target_properties(cuDNN::cudnn PROPERTIES IMPORTED_LOCATION ${cuDNN_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${cuDNN_INCLUDE_DIR})
endif()
