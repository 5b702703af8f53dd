tombolo_fuzz(server_app_import
    SOURCES server_app_import.cpp
    LIBRARIES tombolo_app)
tombolo_fuzz(server_frames
    SOURCES server_frames.cpp
    LIBRARIES tombolo_functions)
tombolo_fuzz(server_log_tail
    SOURCES server_log_tail.cpp
    LIBRARIES tombolo_store RocksDB::rocksdb-shared)
tombolo_fuzz(server_tokens
    SOURCES
        server_tokens.cpp
        ${PROJECT_SOURCE_DIR}/src/server/api/admin/digest.cpp
    LIBRARIES tombolo_auth tombolo_http)
tombolo_fuzz(server_websocket
    SOURCES server_websocket.cpp
    LIBRARIES tombolo_http)
tombolo_fuzz(server_sync_session
    SOURCES server_sync_session.cpp
    LIBRARIES tombolo_sync_session RocksDB::rocksdb-shared)
tombolo_fuzz(server_rules
    SOURCES server_rules.cpp
    LIBRARIES tombolo_rules)
