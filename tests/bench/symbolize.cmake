lt_rooms(symbolize_rooms report dump base)
add_executable(bench_symbolize bench_symbolize.c)
target_include_directories(bench_symbolize PRIVATE ${symbolize_rooms} ${CMAKE_SOURCE_DIR}/tests)
target_link_libraries(bench_symbolize PRIVATE lt_symbolize_shop lt_report_host lt_dump_host lt_dump_reader_host lt_base_host
                                              lt_warnings lt_hosted)
set_target_properties(bench_symbolize PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
