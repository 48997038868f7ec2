# Descriptors: the program lists at its end what the kernel says is open; ../integration/run_descriptors.py compares.
find_package(Threads REQUIRED)
find_package(Python3 REQUIRED COMPONENTS Interpreter)
file(GLOB programs CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/descriptors/*.c)
foreach(source ${programs})
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE Threads::Threads util rt)
  target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
  target_compile_options(${name} PRIVATE -O2 -g -fno-builtin -Wall -Wextra -Wno-unused-result)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/descriptors)
  add_test(NAME descriptors.${name}
           COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/integration/run_descriptors.py
                   $<TARGET_FILE:leaktrack> $<TARGET_FILE:leaktrack-report> ${source} $<TARGET_FILE:${name}>)
  set_tests_properties(descriptors.${name} PROPERTIES LABELS integration TIMEOUT 180 SKIP_RETURN_CODE 77)
endforeach()
