# SPDX-License-Identifier: Apache-2.0
# CNNSWEEP_CUDA: AUTO builds the CUDA engine where nvcc, cuDNN and NCCL are found, ON wants them, OFF leaves it out.
# Afterwards it is ON or OFF.
set(CNNSWEEP_CUDA AUTO CACHE STRING "The CUDA engine, a plug-in: AUTO, ON or OFF")
set_property(CACHE CNNSWEEP_CUDA PROPERTY STRINGS AUTO ON OFF)
if(CNNSWEEP_CUDA)
  set(cuda_wanted ${CNNSWEEP_CUDA})
  set(CNNSWEEP_CUDA OFF)
  if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES) # machine code for A100 and H100/H200, and PTX for what comes
    set(CMAKE_CUDA_ARCHITECTURES "80-real;90")
  endif()
  include(CheckLanguage)
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    enable_language(CUDA CXX)
    find_package(CUDAToolkit)
    find_package(cuDNN 9)
    find_package(NCCL)
    if(CUDAToolkit_FOUND AND cuDNN_FOUND AND NCCL_FOUND)
      set(CNNSWEEP_CUDA ON)
    endif()
  endif()
  if(cuda_wanted STREQUAL "ON" AND NOT CNNSWEEP_CUDA)
    message(FATAL_ERROR "CNNSWEEP_CUDA is ON, but nvcc, cuDNN 9 or NCCL is missing: name nvcc with CUDACXX; "
      "docs/gpus.md says where they are looked for")
  endif()
  message(STATUS "The CUDA engine: ${CNNSWEEP_CUDA}")
endif()
