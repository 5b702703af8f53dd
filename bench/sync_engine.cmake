# The sync engine alone, in one process and without sockets: what its own work costs.
tombolo_tool(bench_sync_engine
    SOURCES sync_engine.cpp sync_engine_bed.cpp
    LIBRARIES tombolo_sync_engine tombolo_store)
target_include_directories(bench_sync_engine PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
