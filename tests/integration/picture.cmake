# What a snapshot says of a process against what the kernel says: one test per case of picture.py.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(driver ${CMAKE_CURRENT_SOURCE_DIR}/picture.py)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${driver})
execute_process(COMMAND ${CMAKE_COMMAND} -E env PYTHONDONTWRITEBYTECODE=1 ${Python3_EXECUTABLE} ${driver} --list
                OUTPUT_VARIABLE cases COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+" cases "${cases}")
find_package(Threads REQUIRED)
add_executable(picture_victim picture_victim.c)
target_compile_definitions(picture_victim PRIVATE _GNU_SOURCE)
target_link_libraries(picture_victim PRIVATE lt_warnings Threads::Threads)
set_target_properties(picture_victim PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
foreach(case ${cases})
  add_test(NAME picture.${case} COMMAND ${Python3_EXECUTABLE} ${driver} $<TARGET_FILE:leaktrack>
                                        $<TARGET_FILE:picture_victim> ${case})
  set_tests_properties(picture.${case} PROPERTIES LABELS integration TIMEOUT 180 SKIP_RETURN_CODE 77
                                                  ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
endforeach()
