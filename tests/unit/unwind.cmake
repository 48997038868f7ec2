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
  lt_unit_test(${name} SOURCES unwind_judge.c unwind_frames.S $<TARGET_OBJECTS:unwind_exceptions> ROOMS base os unwind
               LIBS PkgConfig::LIBUNWIND Threads::Threads ${CMAKE_DL_LIBS})
  target_compile_options(${name} PRIVATE -fno-omit-frame-pointer)
  set_target_properties(${name} PROPERTIES LINKER_LANGUAGE CXX)
endfunction()

lt_unwind_test(unwind_stacks)
