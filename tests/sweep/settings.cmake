# How groups are made is internal to the room.
target_include_directories(test_groups PRIVATE ${PROJECT_SOURCE_DIR}/src/sweep)
# The scheduler is judged without a sweep around it.
target_include_directories(test_scheduler PRIVATE ${PROJECT_SOURCE_DIR}/src/sweep)
