tombolo_fuzz(mql_filter SOURCES mql_filter.cpp LIBRARIES tombolo_mql)
tombolo_fuzz(mql_update SOURCES mql_update.cpp LIBRARIES tombolo_mql)
tombolo_fuzz(mql_pipeline SOURCES mql_pipeline.cpp LIBRARIES tombolo_mql)
