tombolo_fuzz(protocol_client SOURCES ${CMAKE_CURRENT_LIST_DIR}/protocol_client.cpp LIBRARIES tombolo_protocol)
tombolo_fuzz(protocol_server SOURCES ${CMAKE_CURRENT_LIST_DIR}/protocol_server.cpp LIBRARIES tombolo_protocol)
