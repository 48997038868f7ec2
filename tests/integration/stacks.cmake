# Stacks of real programs, each compared with libunwind's: one test per case of stacks/compare.py; what it lists is what
# there is.
enable_language(CXX)
find_package(Python3 REQUIRED COMPONENTS Interpreter)
find_package(Threads REQUIRED)
pkg_check_modules(LIBUNWIND IMPORTED_TARGET REQUIRED libunwind>=1.3)

lt_rooms(oracle_rooms unwind os base)
add_library(stack-oracle SHARED stacks/oracle.c ${CMAKE_SOURCE_DIR}/tests/support/noted_stacks.c)
target_include_directories(stack-oracle PRIVATE ${oracle_rooms} ${CMAKE_SOURCE_DIR}/tests)
target_link_libraries(stack-oracle PRIVATE lt_warnings lt_preloaded lt_unwind lt_os lt_base PkgConfig::LIBUNWIND
                                           ${CMAKE_DL_LIBS})
target_link_options(stack-oracle PRIVATE LINKER:-z,now)
set_target_properties(stack-oracle PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})

add_executable(throwing_threads stacks/throwing_threads.cpp)
target_compile_options(throwing_threads PRIVATE -Wall -Wextra -O2)
target_link_libraries(throwing_threads PRIVATE Threads::Threads)
set_target_properties(throwing_threads PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})

set(driver ${CMAKE_CURRENT_SOURCE_DIR}/stacks/compare.py)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${driver})
execute_process(COMMAND ${Python3_EXECUTABLE} ${driver} --list OUTPUT_VARIABLE cases COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+" cases "${cases}")
foreach(case ${cases})
  add_test(NAME stacks.${case} COMMAND ${Python3_EXECUTABLE} ${driver} $<TARGET_FILE:stack-oracle>
                                       $<TARGET_FILE:throwing_threads> ${case})
  set_tests_properties(stacks.${case} PROPERTIES LABELS integration TIMEOUT 300 SKIP_RETURN_CODE 77)
endforeach()
