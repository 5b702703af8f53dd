tombolo_fuzz(server_tokens
    SOURCES server_tokens.cpp
    LIBRARIES tombolo_auth)
