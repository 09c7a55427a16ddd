# SPDX-License-Identifier: Apache-2.0
# What these test is internal to the room.
target_include_directories(test_classification_report PRIVATE ${PROJECT_SOURCE_DIR}/src/report)
target_include_directories(test_event PRIVATE ${PROJECT_SOURCE_DIR}/src/report/tensorboard)
