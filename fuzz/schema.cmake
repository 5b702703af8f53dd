tombolo_fuzz(schema_json SOURCES schema_json.cpp LIBRARIES tombolo_schema)
tombolo_fuzz(schema_document SOURCES schema_document.cpp LIBRARIES tombolo_schema)
