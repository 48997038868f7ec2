# Random mapping programs, their reports held against the kernel's list and a model.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME mapping.random_programs_end_with_the_kernels_picture
         COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/mappings.py $<TARGET_FILE:leaktrack>
                 $<TARGET_FILE:leaktrack-report> $<TARGET_FILE:maps_at_random> 100)
set_tests_properties(mapping.random_programs_end_with_the_kernels_picture PROPERTIES LABELS integration TIMEOUT 580)
