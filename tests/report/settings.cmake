# SPDX-License-Identifier: Apache-2.0
# What these test is internal to the room.
target_include_directories(test_classification_report PRIVATE ${PROJECT_SOURCE_DIR}/src/report)
target_include_directories(test_event PRIVATE ${PROJECT_SOURCE_DIR}/src/report/tensorboard)
target_include_directories(test_explain_road PRIVATE ${PROJECT_SOURCE_DIR}/src/report)

# test_charts.py and test_chart_colours.py read what this program writes.
add_executable(print_charts report/charts/print_charts.c)
target_link_libraries(print_charts PRIVATE cs_report)
set_target_properties(print_charts PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)

target_include_directories(test_ticks PRIVATE ${PROJECT_SOURCE_DIR}/src/report/charts)
