tombolo_fuzz(core_bson SOURCES core_bson.cpp LIBRARIES tombolo_core)
tombolo_fuzz(core_decimal128 SOURCES core_decimal128.cpp LIBRARIES tombolo_core)
tombolo_fuzz(core_ejson SOURCES core_ejson.cpp LIBRARIES tombolo_core)
