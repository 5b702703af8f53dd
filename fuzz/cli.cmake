tombolo_fuzz(cli_documents
    SOURCES cli_documents.cpp
    LIBRARIES tombolo_cli)
tombolo_fuzz(cli_files
    SOURCES cli_files.cpp
    LIBRARIES tombolo_cli)
