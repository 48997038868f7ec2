# LEAKTRACK_AFTER, end to end.
find_package(Threads REQUIRED)
add_executable(warm_up_victim warm_up_victim.c)
target_compile_options(warm_up_victim PRIVATE -g -O0)
target_link_libraries(warm_up_victim PRIVATE lt_warnings Threads::Threads)
set_target_properties(warm_up_victim PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
add_test(NAME integration.warm_up
         COMMAND ${LEAKTRACK_SYSTEM_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/warm_up.py $<TARGET_FILE:leaktrack>
                 $<TARGET_FILE:leaktrack-report> $<TARGET_FILE:warm_up_victim>)
set_tests_properties(integration.warm_up PROPERTIES LABELS integration TIMEOUT 120 ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
