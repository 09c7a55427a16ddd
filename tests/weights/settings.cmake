# SPDX-License-Identifier: Apache-2.0
# The test includes a private header of the room and starts a thread.
target_include_directories(test_isolated PRIVATE ${PROJECT_SOURCE_DIR}/src/weights)
target_link_libraries(test_isolated PRIVATE Threads::Threads)
