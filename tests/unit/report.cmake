# The report above a symbolizer that knows what the test tells it.
function(lt_report_test name)
  lt_unit_test(${name} SOURCES report_fixture.c ROOMS base dump report_core LIBS lt_make_dump lt_dump_reader_host)
  lt_rooms(headers report)
  target_include_directories(${name} PRIVATE ${headers})
  target_compile_definitions(${name} PRIVATE LT_GOLDEN="${CMAKE_SOURCE_DIR}/tests/golden")
endfunction()

foreach(test report_diff report_estimate report_filter report_hints report_human report_json report_memory report_model report_options report_policy
             report_progress report_resources report_rise report_runtime report_warm_up report_sockets report_text)
  lt_report_test(${test})
endforeach()
