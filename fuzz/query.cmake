tombolo_fuzz(query_parse
    SOURCES query_parse.cpp "${CMAKE_SOURCE_DIR}/tests/query/fixture.cpp"
    LIBRARIES tombolo_query)
tombolo_fuzz(query_run
    SOURCES
        query_run.cpp
        "${CMAKE_SOURCE_DIR}/tests/query/bson_documents.cpp"
        "${CMAKE_SOURCE_DIR}/tests/query/fixture.cpp"
    LIBRARIES tombolo_query PkgConfig::bson)
