# LEAKTRACK_SAMPLE, end to end.
find_package(Threads REQUIRED)
add_executable(sampling_victim sampling_victim.c)
target_compile_options(sampling_victim PRIVATE -g -O0)
target_link_libraries(sampling_victim PRIVATE lt_warnings Threads::Threads)
set_target_properties(sampling_victim PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
add_test(NAME integration.sampling
         COMMAND ${LEAKTRACK_SYSTEM_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/sampling.py $<TARGET_FILE:leaktrack>
                 $<TARGET_FILE:leaktrack-report> $<TARGET_FILE:sampling_victim> ${CMAKE_SOURCE_DIR}/tools/leaktrack-smoke)
set_tests_properties(integration.sampling PROPERTIES LABELS integration TIMEOUT 300 ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
