# SPDX-License-Identifier: Apache-2.0
# cs_room(NAME FOLDER [USES room...] [LINK library...]): the static library cs_NAME of all C files in FOLDER and one
# folder below. USES names the rooms that it may use; tests/rules/test_includes.py checks the #includes.
function(cs_room name folder)
  cmake_parse_arguments(ROOM "" "" "USES;LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.c ${PROJECT_SOURCE_DIR}/${folder}/*/*.c)
  add_library(cs_${name} STATIC ${sources})
  list(TRANSFORM ROOM_USES PREPEND cs_)
  target_link_libraries(cs_${name} PUBLIC cs_flags ${ROOM_USES} PRIVATE ${ROOM_LINK})
  target_include_directories(cs_${name} PRIVATE ${PROJECT_SOURCE_DIR}/${folder})
endfunction()
