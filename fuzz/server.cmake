tombolo_fuzz(server_frames
    SOURCES server_frames.cpp
    LIBRARIES tombolo_functions)
tombolo_fuzz(server_tokens
    SOURCES server_tokens.cpp
    LIBRARIES tombolo_auth)
