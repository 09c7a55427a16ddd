# SPDX-License-Identifier: Apache-2.0
# cmake --install: programs, the plug-in, batch scripts, example jobs, the manual and completion for shells.
include(GNUInstallDirs)
set(programs cnnsweep cnnsweep-pack cnnsweep-synthetic)
set(shared ${CMAKE_INSTALL_DATADIR}/cnnsweep)

install(TARGETS ${programs} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
if(CNNSWEEP_CUDA)
  # One of the places in which src/engine/plugin.c looks.
  install(TARGETS cnnsweep_cuda LIBRARY DESTINATION lib/cnnsweep)
  set_target_properties(cnnsweep_cuda PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
endif()

# Libraries that are not the system's own (of Spack, of a module) are found again where they were linked.
set(other_folders ${MPI_C_LIBRARIES} ${OneDNN_LIBRARY} ${HDF5_LINK_LIBRARIES} ${JPEG_LINK_LIBRARIES} ${SPNG_LINK_LIBRARIES}
  ${GIF_LIBRARIES} ${WEBP_LINK_LIBRARIES} ${TIFF_LINK_LIBRARIES} ${CSV_LIBRARY} ${ARCHIVE_LINK_LIBRARIES}
  ${JANSSON_LINK_LIBRARIES} ${NLOPT_LINK_LIBRARIES} ${YAML_LINK_LIBRARIES} ${XXHASH_LINK_LIBRARIES}
  ${CAIRO_LINK_LIBRARIES} ${PANGO_LINK_LIBRARIES})
list(FILTER other_folders EXCLUDE REGEX "^/(usr/)?lib(64)?/")
list(FILTER other_folders INCLUDE REGEX "^/")
if(other_folders)
  set_target_properties(${programs} PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
endif()

# The manual is made from what the programs print. Debian wants its pages packed, which man reads everywhere.
find_program(CNNSWEEP_GZIP gzip)
set(pages cnnsweep.1 cnnsweep-pack.1 cnnsweep-synthetic.1 cnnsweep-job.5)
set(example_job ${PROJECT_SOURCE_DIR}/jobs/demo.yaml)
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/man)
foreach(page ${pages})
  set(out ${PROJECT_BINARY_DIR}/man/${page})
  set(pack)
  if(CNNSWEEP_GZIP)
    set(pack COMMAND ${CNNSWEEP_GZIP} -9nf ${page})
    string(APPEND out .gz)
  endif()
  add_custom_command(OUTPUT ${out}
    COMMAND ${PROJECT_SOURCE_DIR}/cmake/manual.sh ${page} ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} ${example_job} > ${page}
    ${pack}
    WORKING_DIRECTORY ${PROJECT_BINARY_DIR}/man
    DEPENDS ${programs} ${PROJECT_SOURCE_DIR}/cmake/manual.sh ${example_job}
    COMMENT "Making the manual's ${page}" VERBATIM)
  list(APPEND manual ${out})
  string(REGEX MATCH "[0-9]$" section ${page})
  install(FILES ${out} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()
add_custom_target(manual ALL DEPENDS ${manual})

install(DIRECTORY slurm/ DESTINATION ${shared}/slurm USE_SOURCE_PERMISSIONS PATTERN site.conf EXCLUDE
  PATTERN cnnsweep.def EXCLUDE PATTERN spack EXCLUDE)
file(GLOB jobs CONFIGURE_DEPENDS jobs/*.yaml)
install(FILES ${jobs} DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
install(FILES README.md ARCHITECTURE.md CHANGELOG.md CONTRIBUTING.md LICENSE cmake/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR})

foreach(program ${programs}) # bash looks for a file of the program's name
  install(FILES cmake/completion/cnnsweep.bash RENAME ${program}
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
endforeach()
# Debian's zsh looks in another folder below /usr than zsh itself would.
install(CODE "
  set(functions site-functions)
  if(CMAKE_INSTALL_PREFIX MATCHES \"/usr$\" AND EXISTS /etc/debian_version)
    set(functions vendor-completions)
  endif()
  file(INSTALL ${PROJECT_SOURCE_DIR}/cmake/completion/_cnnsweep
    DESTINATION \${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}/zsh/\${functions})")
