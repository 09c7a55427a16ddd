# SPDX-License-Identifier: Apache-2.0
# What is private to the room, and a second thread.
target_include_directories(test_isolated PRIVATE ${PROJECT_SOURCE_DIR}/src/weights)
target_link_libraries(test_isolated PRIVATE Threads::Threads)
