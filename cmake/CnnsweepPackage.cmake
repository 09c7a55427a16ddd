# SPDX-License-Identifier: Apache-2.0
# cpack: a Debian package. It installs what cmake --install does, below /usr.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME cnnsweep)
set(CPACK_PACKAGE_VENDOR "The cnnsweep authors")
set(CPACK_PACKAGE_CONTACT "The cnnsweep authors <cnnsweep@example.org>" CACHE STRING "Who maintains the package")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "train sweeps of image classifiers under MPI")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
  "A job file names the network, the data and the options to compare, such as\n\
fine-tuning depth, augmentation and learning rate. cnnsweep trains every\n\
combination on all cores, shares the frozen part of the network between\n\
trials, resumes after interruptions and prints the result table.\n\
.\n\
cnnsweep-pack makes the datasets from folders of images.")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "openmpi-bin")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "slurm-client")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
# CUDA's own libraries come from NVIDIA, not from a package that this one could name.
if(CNNSWEEP_CUDA)
  message(STATUS "cpack: the package would hold the CUDA engine; configure with -DCNNSWEEP_CUDA=OFF for one that any Debian takes")
endif()

# Debian wants a list of changes in a form of its own, packed.
if(CNNSWEEP_GZIP)
  string(TIMESTAMP package_date "%a, %d %b %Y %H:%M:%S +0000" UTC)
  configure_file(cmake/changelog.in ${PROJECT_BINARY_DIR}/man/changelog @ONLY)
  execute_process(COMMAND ${CNNSWEEP_GZIP} -9nkf changelog WORKING_DIRECTORY ${PROJECT_BINARY_DIR}/man
    COMMAND_ERROR_IS_FATAL ANY)
  install(FILES ${PROJECT_BINARY_DIR}/man/changelog.gz DESTINATION ${CMAKE_INSTALL_DOCDIR})
endif()
include(CPack)
