# leaktrack-report as a program. Debian's python3 has Debian's jsonschema, which another python3 in PATH may lack.
find_program(LEAKTRACK_SYSTEM_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
if(NOT LEAKTRACK_SYSTEM_PYTHON)
  find_program(LEAKTRACK_SYSTEM_PYTHON python3 REQUIRED)
endif()
# lt_report_cli_test(LABEL NAME SCRIPT CLASS)
function(lt_report_cli_test label name script class)
  add_test(NAME ${label}.${name}
           COMMAND ${LEAKTRACK_SYSTEM_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/${script} $<TARGET_FILE:leaktrack-report>
                   $<TARGET_FILE:make_dump> ${CMAKE_SOURCE_DIR} ${class})
  set_tests_properties(${label}.${name} PROPERTIES LABELS ${label} TIMEOUT 180 SKIP_REGULAR_EXPRESSION "OK \\(skipped"
                                                   ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
endfunction()
lt_report_cli_test(integration report_exit_codes report_cli.py ExitCodes)
lt_report_cli_test(integration report_damage report_cli.py Damage)
lt_report_cli_test(integration report_files report_cli.py Files)
lt_report_cli_test(integration report_terminal report_cli.py Terminal)
lt_report_cli_test(integration report_json report_contract.py Json)
lt_report_cli_test(rules man_pages report_contract.py ManPage)

# On processes: two builds of one program.
foreach(version 1 2)
  add_executable(report_victim_${version} report_victim.c)
  target_compile_definitions(report_victim_${version} PRIVATE VERSION=${version})
  target_compile_options(report_victim_${version} PRIVATE -g -O0)
  target_link_libraries(report_victim_${version} PRIVATE lt_warnings)
  set_target_properties(report_victim_${version} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
endforeach()
add_executable(sockets_example ${CMAKE_SOURCE_DIR}/docs/example/sockets.c)
target_compile_options(sockets_example PRIVATE -g -O0)
target_link_libraries(sockets_example PRIVATE lt_warnings)
foreach(subject Requests Comparisons Sockets)
  string(TOLOWER ${subject} name)
  add_test(NAME integration.report_${name}
           COMMAND ${LEAKTRACK_SYSTEM_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/report_live.py $<TARGET_FILE:leaktrack>
                   $<TARGET_FILE:leaktrack-report> $<TARGET_FILE:report_victim_1> $<TARGET_FILE:report_victim_2>
                   $<TARGET_FILE:sockets_example> ${subject})
  set_tests_properties(integration.report_${name} PROPERTIES LABELS integration TIMEOUT 180
                                                             SKIP_REGULAR_EXPRESSION "OK \\(skipped")
endforeach()
