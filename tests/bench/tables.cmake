# What the tables cost; built always, run by hand: build/release/tests/bench/bench_tables
lt_rooms(table_rooms track unwind dump os base)
add_executable(bench_tables bench_tables.c)
target_include_directories(bench_tables PRIVATE ${table_rooms})
target_compile_definitions(bench_tables PRIVATE _GNU_SOURCE)
target_compile_options(bench_tables PRIVATE -O2)
target_link_libraries(bench_tables PRIVATE lt_warnings lt_track lt_dump lt_os lt_base pthread)
set_target_properties(bench_tables PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
