# Compiler settings and the helpers that the folders' CMakeLists use.
#
#   tombolo_library(NAME SOURCES ... [PUBLIC ...] [PRIVATE ...])   a layer
#   tombolo_test(NAME SOURCES ... LIBRARIES ... [LABEL ...])       one test program; each case is a ctest test
#   tombolo_fuzz(NAME SOURCES ... LIBRARIES ...)                   libFuzzer target, or a corpus replayer under gcc
#   tombolo_tool(NAME SOURCES ... LIBRARIES ...)                   a program in build/<preset>/bin

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

option(TOMBOLO_DCHECKS "Evaluate TOMBOLO_DCHECK (costly invariants)" OFF)
option(TOMBOLO_COVERAGE "Instrument for coverage" OFF)
set(TOMBOLO_SANITIZE "" CACHE STRING "address (with undefined), thread, or empty")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
    set(CMAKE_C_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
endif()

set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g")

find_package(PkgConfig REQUIRED)
find_package(GTest REQUIRED)
find_package(fmt REQUIRED)
find_package(ZLIB REQUIRED)
find_package(RocksDB REQUIRED)
find_package(CURL REQUIRED)
find_package(CLI11 REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(spdlog REQUIRED)
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
pkg_check_modules(jose REQUIRED IMPORTED_TARGET jose jansson)
pkg_check_modules(argon2 REQUIRED IMPORTED_TARGET libargon2)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(bson REQUIRED IMPORTED_TARGET libbson-1.0)
pkg_check_modules(pcre2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(utf8proc REQUIRED IMPORTED_TARGET libutf8proc)

# S2 comes without CMake or pkg-config files; its headers need abseil and OpenSSL's bignum.
find_path(S2_INCLUDE_DIR s2/s2polygon.h REQUIRED)
find_library(S2_LIBRARY s2 REQUIRED)
find_package(OpenSSL REQUIRED)
add_library(TomboloS2::s2 INTERFACE IMPORTED)
target_include_directories(TomboloS2::s2 SYSTEM INTERFACE "${S2_INCLUDE_DIR}")
target_link_libraries(TomboloS2::s2 INTERFACE "${S2_LIBRARY}" OpenSSL::Crypto)

# Options that every target of ours is compiled and linked with.
add_library(tombolo_options INTERFACE)
target_include_directories(tombolo_options INTERFACE "${CMAKE_SOURCE_DIR}/src")
target_compile_options(tombolo_options INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast -Werror
    "-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=")
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    target_compile_options(tombolo_options INTERFACE -Wthread-safety)
endif()
if(TOMBOLO_DCHECKS)
    target_compile_definitions(tombolo_options INTERFACE TOMBOLO_DCHECKS=1)
endif()
if(TOMBOLO_SANITIZE STREQUAL "address")
    # -fno-sanitize=function: clang 14 cannot compile coroutines with it.
    set(sanitize -fsanitize=address,undefined -fno-sanitize=function -fno-sanitize-recover=all)
    target_compile_options(tombolo_options INTERFACE
        -O1 -gline-tables-only -fno-omit-frame-pointer ${sanitize} -fsanitize=fuzzer-no-link)
    target_link_options(tombolo_options INTERFACE ${sanitize})
elseif(TOMBOLO_SANITIZE STREQUAL "thread")
    target_compile_options(tombolo_options INTERFACE -O1 -gline-tables-only -fsanitize=thread)
    target_link_options(tombolo_options INTERFACE -fsanitize=thread)
elseif(TOMBOLO_SANITIZE)
    message(FATAL_ERROR "TOMBOLO_SANITIZE is '${TOMBOLO_SANITIZE}'; expected address, thread or nothing")
endif()
if(TOMBOLO_COVERAGE)
    target_compile_options(tombolo_options INTERFACE -O0 -g -fprofile-instr-generate -fcoverage-mapping)
    target_link_options(tombolo_options INTERFACE -fprofile-instr-generate)
endif()

function(tombolo_library name)
    cmake_parse_arguments(arg "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
    add_library(${name} STATIC ${arg_SOURCES})
    target_link_libraries(${name} PUBLIC tombolo_options ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
endfunction()

function(tombolo_tool name)
    cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES" ${ARGN})
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE tombolo_options ${arg_LIBRARIES})
endfunction()

# jemalloc, for programs that make and drop small things on many threads: glibc's allocator takes a fifth more
# processor time there, and more memory. Without it they are built with what there is; sanitizers bring their own.
find_library(TOMBOLO_JEMALLOC jemalloc)
function(tombolo_allocator name)
    if(TOMBOLO_JEMALLOC AND NOT TOMBOLO_SANITIZE)
        target_link_libraries(${name} PRIVATE ${TOMBOLO_JEMALLOC})
    endif()
endfunction()

# A program of GoogleTest cases, with its main; each case has the same time limit.
function(tombolo_test name)
    cmake_parse_arguments(arg "" "LABEL" "SOURCES;LIBRARIES" ${ARGN})
    add_executable(${name} ${arg_SOURCES})
    target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}/tests")
    target_link_libraries(${name} PRIVATE tombolo_options ${arg_LIBRARIES} GTest::gtest GTest::gmock
        GTest::gtest_main rapidcheck)
    target_compile_definitions(${name} PRIVATE
        "TOMBOLO_TEST_DATA=\"${CMAKE_SOURCE_DIR}/tests\"")
    include(GoogleTest)
    set(properties TIMEOUT 1800)
    if(arg_LABEL) # an empty value would make TIMEOUT the label
        list(APPEND properties LABELS ${arg_LABEL})
    endif()
    gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES ${properties})
endfunction()

function(tombolo_fuzz name)
    cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES" ${ARGN})
    add_executable(fuzz_${name} ${arg_SOURCES})
    target_include_directories(fuzz_${name} PRIVATE "${CMAKE_SOURCE_DIR}/tests")
    target_link_libraries(fuzz_${name} PRIVATE tombolo_options ${arg_LIBRARIES})
    file(MAKE_DIRECTORY "${CMAKE_SOURCE_DIR}/fuzz/corpus/${name}")
    if(TOMBOLO_SANITIZE STREQUAL "address")
        target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
        add_test(NAME fuzz_corpus.${name}
            COMMAND fuzz_${name} -runs=0 "${CMAKE_SOURCE_DIR}/fuzz/corpus/${name}")
    else()
        target_sources(fuzz_${name} PRIVATE "${CMAKE_SOURCE_DIR}/fuzz/replay_main.cpp")
        add_test(NAME fuzz_corpus.${name}
            COMMAND fuzz_${name} "${CMAKE_SOURCE_DIR}/fuzz/corpus/${name}")
    endif()
endfunction()
