# leaktrack-report as a program. Debian's python3 has Debian's jsonschema, which another python3 in PATH may lack.
find_program(LEAKTRACK_SYSTEM_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
if(NOT LEAKTRACK_SYSTEM_PYTHON)
  find_program(LEAKTRACK_SYSTEM_PYTHON python3 REQUIRED)
endif()
foreach(subject ExitCodes Damage Files Terminal Json)
  string(TOLOWER ${subject} name)
  add_test(NAME integration.report_${name}
           COMMAND ${LEAKTRACK_SYSTEM_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/report_cli.py $<TARGET_FILE:leaktrack-report>
                   $<TARGET_FILE:make_dump> ${CMAKE_SOURCE_DIR} ${subject})
  set_tests_properties(integration.report_${name} PROPERTIES LABELS integration TIMEOUT 180
                                                             SKIP_REGULAR_EXPRESSION "OK \\(skipped")
endforeach()
add_test(NAME rules.man_pages
         COMMAND ${LEAKTRACK_SYSTEM_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/report_cli.py $<TARGET_FILE:leaktrack-report>
                 $<TARGET_FILE:make_dump> ${CMAKE_SOURCE_DIR} ManPage)
set_tests_properties(rules.man_pages PROPERTIES LABELS rules TIMEOUT 60)

# On processes: two builds of one program.
foreach(version 1 2)
  add_executable(report_victim_${version} report_victim.c)
  target_compile_definitions(report_victim_${version} PRIVATE VERSION=${version})
  target_compile_options(report_victim_${version} PRIVATE -g -O0)
  target_link_libraries(report_victim_${version} PRIVATE lt_warnings)
  set_target_properties(report_victim_${version} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
endforeach()
foreach(subject Requests Comparisons)
  string(TOLOWER ${subject} name)
  add_test(NAME integration.report_${name}
           COMMAND ${LEAKTRACK_SYSTEM_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/report_live.py $<TARGET_FILE:leaktrack>
                   $<TARGET_FILE:leaktrack-report> $<TARGET_FILE:report_victim_1> $<TARGET_FILE:report_victim_2> ${subject})
  set_tests_properties(integration.report_${name} PROPERTIES LABELS integration TIMEOUT 180
                                                             SKIP_REGULAR_EXPRESSION "OK \\(skipped")
endforeach()
