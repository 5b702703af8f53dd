# What scripts/bench runs as "query".
tombolo_tool(bench_query
    SOURCES
        query.cpp
        reference/query_reference.cpp
    LIBRARIES tombolo_query PkgConfig::bson)
