# Rules about the text of the sources.

# lt_rule(NAME SCRIPT argument...): a script of this folder that prints what breaks the rule, and fails then
function(lt_rule name script)
  add_test(NAME rules.${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/${script} ${ARGN})
  set_tests_properties(rules.${name} PROPERTIES LABELS rules TIMEOUT 120 SKIP_RETURN_CODE 77)
endfunction()

lt_rule(layers layers.sh ${CMAKE_SOURCE_DIR})
lt_rule(sizes sizes.sh ${CMAKE_SOURCE_DIR})
lt_rule(places places.sh ${CMAKE_SOURCE_DIR})
lt_rule(headers headers.sh ${CMAKE_SOURCE_DIR} ${CMAKE_C_COMPILER})
lt_rule(self_test self_test.sh ${CMAKE_CURRENT_SOURCE_DIR})
lt_rule(public_header_c99 public_header.sh ${CMAKE_SOURCE_DIR} ${CMAKE_C_COMPILER} c c99)
lt_rule(public_header_c11 public_header.sh ${CMAKE_SOURCE_DIR} ${CMAKE_C_COMPILER} c c11)
lt_rule(public_header_cxx17 public_header.sh ${CMAKE_SOURCE_DIR} c++ c++ c++17)
if(TARGET leaktrack)
  lt_rule(no_reader_in_library no_reader_in_library.sh $<TARGET_FILE:leaktrack>)
endif()
