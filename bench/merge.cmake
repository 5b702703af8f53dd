tombolo_tool(bench_merge
    SOURCES merge.cpp merge_workloads.cpp reference/list_loop.cpp
    LIBRARIES tombolo_changeset)
target_include_directories(bench_merge PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
