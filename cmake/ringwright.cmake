# How a folder of src/ becomes a library, and which third-party libraries there are: named here and in
# scripts/packages.txt, nowhere else.

find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
find_package(OpenSSL 3 REQUIRED)
find_package(CURL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(spdlog REQUIRED)
find_package(prometheus-cpp REQUIRED CONFIG)
find_package(PkgConfig REQUIRED)
foreach(package IN ITEMS libcares sndfile soxr spandsp liburing opus libmpg123 ogg vorbis flac lame libpq)
  pkg_check_modules(${package} REQUIRED IMPORTED_TARGET ${package})
endforeach()

add_library(rw_options INTERFACE)
target_compile_options(rw_options INTERFACE -Wall -Wextra -Wpedantic -Werror)
# g++ 12 warns about its own std::string (GCC bug 105651).
target_compile_options(rw_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
target_compile_definitions(rw_options INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED SPDLOG_FMT_EXTERNAL
  RINGWRIGHT_VERSION="${PROJECT_VERSION}")
target_include_directories(rw_options INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(rw_options INTERFACE Threads::Threads)
if(RW_SANITIZE)
  add_compile_options(-fsanitize=${RW_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${RW_SANITIZE})
endif()
if(RW_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# rw_library(sip DEPENDS base net LIBRARIES OpenSSL::Crypto): all .cpp files of this folder, which may include only
# what it depends on.
function(rw_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LIBRARIES" ${ARGN})
  list(TRANSFORM ARG_DEPENDS PREPEND rw_)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  if(sources)
    add_library(rw_${name} STATIC ${sources})
    target_link_libraries(rw_${name} PUBLIC rw_options ${ARG_DEPENDS} ${ARG_LIBRARIES})
  else()
    add_library(rw_${name} INTERFACE)
    target_link_libraries(rw_${name} INTERFACE rw_options ${ARG_DEPENDS} ${ARG_LIBRARIES})
  endif()
endfunction()
