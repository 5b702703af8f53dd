# What permissions cost sync, and what a change of role costs: the engine alone, without sockets.
tombolo_tool(bench_rules
    SOURCES rules.cpp rules_conflicts.cpp rules_trim.cpp sync_engine_bed.cpp
    LIBRARIES tombolo_sync_engine tombolo_store)
target_include_directories(bench_rules PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
