# Mappings, threads and timers: what is left at the end stands on the line that acquired it (../integration/run_program.py).
enable_language(CXX)
find_package(Threads REQUIRED)
foreach(subject mapping thread)
  file(GLOB programs CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${subject}/*.c ${CMAKE_CURRENT_SOURCE_DIR}/${subject}/*.cpp)
  foreach(source ${programs})
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} ${source})
    target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
    target_compile_options(${name} PRIVATE -O2 -g -fno-builtin -Wall -Wextra)
    target_link_libraries(${name} PRIVATE Threads::Threads rt)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/${subject})
    if(name STREQUAL "maps_at_random") # run by ../integration/mappings.py
      continue()
    endif()
    add_test(NAME ${subject}.${name}
             COMMAND ${CMAKE_SOURCE_DIR}/tests/integration/run_program.py --library $<TARGET_FILE:leaktrack>
                     --report $<TARGET_FILE:leaktrack-report> --source ${source} --program $<TARGET_FILE:${name}>)
    set_tests_properties(${subject}.${name} PROPERTIES LABELS integration TIMEOUT 180)
  endforeach()
endforeach()
