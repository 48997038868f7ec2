# One test per case of life.py; what it lists is what there is.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(driver ${CMAKE_CURRENT_SOURCE_DIR}/life.py)
file(GLOB modules CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/life*.py)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${modules})
execute_process(COMMAND ${Python3_EXECUTABLE} ${driver} --list OUTPUT_VARIABLE cases COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+" cases "${cases}")
foreach(case ${cases})
  add_test(NAME life.${case} COMMAND ${Python3_EXECUTABLE} ${driver} $<TARGET_FILE:leaktrack>
                                     $<TARGET_FILE:leaktrack-report> ${CMAKE_BINARY_DIR}/tests/programs/life ${case})
  set_tests_properties(life.${case} PROPERTIES LABELS integration TIMEOUT 180 SKIP_RETURN_CODE 77)
endforeach()
