tombolo_tool(bench_sync
    SOURCES
        cities.cpp
        server_load.cpp
        server_process.cpp
        sync.cpp
        sync_backlog.cpp
        sync_bootstrap.cpp
        sync_fanout.cpp
        sync_fleet.cpp
        sync_fleet_messages.cpp
        sync_history.cpp
        sync_notes.cpp
        sync_outside.cpp
        sync_propagate.cpp
        sync_sessions.cpp
        sync_subject.cpp
        sync_upload.cpp
        reference/echo.cpp
        reference/fan_writes.cpp
        reference/log_writes.cpp
        reference/raw_writes.cpp
        reference/zlib_level.cpp
    LIBRARIES tombolo_changeset tombolo_http tombolo_protocol OpenSSL::SSL RocksDB::rocksdb-shared ZLIB::ZLIB)
target_include_directories(bench_sync PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
add_dependencies(bench_sync tombolo tombolod)
tombolo_allocator(bench_sync) # the references, too
