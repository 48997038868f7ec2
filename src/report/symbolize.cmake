# What the symbolizer is made of and what it needs. Sets LT_SYMBOLIZE_SOURCES; lt_symbolize_libs carries flags and libraries.
pkg_check_modules(LIBDW IMPORTED_TARGET GLOBAL libdw>=0.188)
pkg_check_modules(LIBELF IMPORTED_TARGET GLOBAL libelf>=0.188)
pkg_check_modules(ZLIB IMPORTED_TARGET GLOBAL zlib>=1.2)
foreach(needed LIBDW LIBELF ZLIB)
  if(NOT ${needed}_FOUND)
    message(FATAL_ERROR "leaktrack-report needs libdw and libelf >= 0.188 and zlib >= 1.2 "
                        "(Debian: libdw-dev libelf-dev zlib1g-dev; Fedora: elfutils-devel zlib-devel)")
  endif()
endforeach()
find_path(UTHASH_INCLUDE_DIR uthash.h)
if(NOT UTHASH_INCLUDE_DIR)
  message(FATAL_ERROR "leaktrack-report needs uthash >= 2.0 (Debian: uthash-dev; Fedora: uthash-devel)")
endif()

add_library(lt_symbolize_libs INTERFACE)
target_include_directories(lt_symbolize_libs SYSTEM INTERFACE ${UTHASH_INCLUDE_DIR})
target_link_libraries(lt_symbolize_libs INTERFACE PkgConfig::LIBDW PkgConfig::LIBELF PkgConfig::ZLIB ${CMAKE_DL_LIBS})

# libiberty demangles C++, Rust and D; Debian keeps its header in a folder of its own, Fedora does not.
find_path(LIBIBERTY_INCLUDE_DIR demangle.h PATH_SUFFIXES libiberty)
find_library(LIBIBERTY_LIBRARY iberty)
set(LT_SYMBOLIZE_SOURCES
    go_build_id.c go_image.c go_table.c symbolize.c symbolize_lines.c symbolize_module.c symbolize_names.c symbolize_ranges.c symbolize_run.c symbolize_symtab.c
    symbolize_units.c symbolize_walk.c module_file.c find_debug.c debuginfod.c)
if(LIBIBERTY_INCLUDE_DIR AND LIBIBERTY_LIBRARY)
  list(APPEND LT_SYMBOLIZE_SOURCES demangle_iberty.c)
  target_include_directories(lt_symbolize_libs SYSTEM INTERFACE ${LIBIBERTY_INCLUDE_DIR})
  target_link_libraries(lt_symbolize_libs INTERFACE ${LIBIBERTY_LIBRARY})
else()
  message(STATUS "libiberty not found (Debian: libiberty-dev; Fedora: binutils-devel): C++ names are demangled by the C++ "
                 "run-time library where there is one, Rust and D names stay as they are")
  list(APPEND LT_SYMBOLIZE_SOURCES demangle_cxxabi.c)
endif()
