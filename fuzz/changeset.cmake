set(generator "${CMAKE_SOURCE_DIR}/tests/changeset/changeset_generator.cpp"
    "${CMAKE_SOURCE_DIR}/tests/changeset/merge_agreement.cpp")

tombolo_fuzz(changeset_decode SOURCES changeset_decode.cpp LIBRARIES tombolo_changeset)
tombolo_fuzz(changeset_roundtrip SOURCES changeset_roundtrip.cpp LIBRARIES tombolo_changeset)
tombolo_fuzz(changeset_merge SOURCES changeset_merge.cpp ${generator} LIBRARIES tombolo_changeset)
tombolo_fuzz(changeset_merge_bytes SOURCES changeset_merge_bytes.cpp ${generator}
    LIBRARIES tombolo_changeset)
