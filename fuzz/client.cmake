tombolo_fuzz(client_device SOURCES ${CMAKE_CURRENT_LIST_DIR}/client_device.cpp LIBRARIES tombolo_client ZLIB::ZLIB)
