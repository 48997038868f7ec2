# leaktrack-smoke on a program that does what it is told, and on one that cannot be tracked.
include(CheckCSourceCompiles)
find_package(Threads REQUIRED)
find_program(LEAKTRACK_SYSTEM_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
add_executable(smoke_victim smoke_victim.c)
target_link_libraries(smoke_victim PRIVATE lt_warnings Threads::Threads)
set_target_properties(smoke_victim PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})

set(CMAKE_REQUIRED_LINK_OPTIONS -static)
check_c_source_compiles("int main(void) { return 0; }" LEAKTRACK_HAS_STATIC_LIBC)
unset(CMAKE_REQUIRED_LINK_OPTIONS)
set(static_victim none)
if(LEAKTRACK_HAS_STATIC_LIBC)
  add_executable(smoke_static_victim smoke_static_victim.c)
  target_link_options(smoke_static_victim PRIVATE -static)
  set_target_properties(smoke_static_victim PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  set(static_victim $<TARGET_FILE:smoke_static_victim>)
endif()

foreach(subject Judging Command Results Usage)
  string(TOLOWER ${subject} name)
  add_test(NAME integration.smoke_${name}
           COMMAND ${LEAKTRACK_SYSTEM_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/smoke.py ${CMAKE_SOURCE_DIR}/tools/leaktrack-smoke
                   $<TARGET_FILE:leaktrack> $<TARGET_FILE:leaktrack-report> $<TARGET_FILE:smoke_victim> ${static_victim}
                   ${CMAKE_BINARY_DIR} ${subject})
  set_tests_properties(integration.smoke_${name} PROPERTIES LABELS integration TIMEOUT 180
                                                            SKIP_REGULAR_EXPRESSION "OK \\(skipped")
endforeach()
