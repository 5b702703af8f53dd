tombolo_tool(bench_server
    SOURCES
        cities.cpp
        server.cpp
        server_apps.cpp
        server_import.cpp
        server_load.cpp
        server_process.cpp
        server_requests.cpp
        server_rules.cpp
        reference/fixed_reply.cpp
        reference/raw_writes.cpp
    LIBRARIES tombolo_documents tombolo_http tombolo_store OpenSSL::Crypto Boost::json RocksDB::rocksdb-shared)
target_include_directories(bench_server PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
add_dependencies(bench_server tombolo tombolod)
