pkg_check_modules(LIBUNWIND IMPORTED_TARGET libunwind>=1.3)
if(NOT LIBUNWIND_FOUND)
  message(FATAL_ERROR "The unwinder's tests need libunwind >= 1.3 as their judge (Debian: libunwind-dev)")
endif()
find_package(Threads REQUIRED)
enable_language(CXX)

# A separate library: the project's warnings are C's.
add_library(unwind_exceptions OBJECT unwind_exceptions.cpp)
lt_rooms(unwind_rooms base os unwind)
target_include_directories(unwind_exceptions PRIVATE ${unwind_rooms})
target_compile_options(unwind_exceptions PRIVATE -Wall -Wextra -O2)

# Tests that compare with libunwind.
function(lt_unwind_test name)
  lt_unit_test(${name} SOURCES unwind_judge.c ../support/noted_stacks.c unwind_frames.S $<TARGET_OBJECTS:unwind_exceptions> ROOMS base os unwind
               LIBS PkgConfig::LIBUNWIND Threads::Threads ${CMAKE_DL_LIBS})
  target_compile_options(${name} PRIVATE -fno-omit-frame-pointer)
  set_target_properties(${name} PROPERTIES LINKER_LANGUAGE CXX)
endfunction()

lt_unit_test(unwind_cfi ROOMS base os unwind)
lt_unit_test(unwind_go ROOMS base os unwind LIBS Threads::Threads)
lt_unit_test(unwind_rule_cache ROOMS base os unwind LIBS Threads::Threads)
foreach(test unwind_memo unwind_tails)
  lt_unwind_test(${test})
  target_compile_options(${test} PRIVATE $<$<NOT:$<BOOL:${LEAKTRACK_SANITIZE}>>:-O2 -fomit-frame-pointer>)
endforeach()
lt_unwind_test(unwind_stacks)
lt_unwind_test(unwind_signals)
lt_unwind_test(unwind_switches)

# The plugins differ in the size of one frame only; the last two in no instruction's length.
foreach(plugin small:16:none medium:1024:none large:1024:sha1 larger:4096:sha1)
  string(REPLACE ":" ";" plugin ${plugin})
  list(GET plugin 0 size)
  list(GET plugin 1 room)
  list(GET plugin 2 build_id)
  add_library(plugin_${size} MODULE unwind_plugin.c)
  target_compile_options(plugin_${size} PRIVATE -O2 -fomit-frame-pointer)
  target_compile_definitions(plugin_${size} PRIVATE PLUGIN_ROOM=${room})
  target_link_options(plugin_${size} PRIVATE LINKER:--build-id=${build_id})
  set_target_properties(plugin_${size} PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
endforeach()
lt_unwind_test(unwind_modules)
target_compile_definitions(unwind_modules PRIVATE PLUGIN_FOLDER="${CMAKE_CURRENT_BINARY_DIR}")
add_dependencies(unwind_modules plugin_small plugin_medium plugin_large plugin_larger)
target_link_options(unwind_modules PRIVATE LINKER:--build-id=sha1)

lt_unit_test(unwind_footprint ROOMS base os unwind LIBS ${CMAKE_DL_LIBS})
target_link_options(unwind_footprint PRIVATE LINKER:-z,now) # as the library: binding a symbol needs a kilobyte
target_compile_options(unwind_footprint PRIVATE -fno-omit-frame-pointer)
target_compile_definitions(unwind_footprint PRIVATE PLUGIN_FOLDER="${CMAKE_CURRENT_BINARY_DIR}")
add_dependencies(unwind_footprint plugin_small)
