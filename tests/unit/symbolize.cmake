# The symbolizer against the judges of the field, on samples that the tests compile themselves.
add_library(lt_symbolize_shop STATIC symbolize/asked.c symbolize/judge.c symbolize/shop.c)
lt_rooms(rooms report dump base)
target_include_directories(lt_symbolize_shop PRIVATE ${rooms} ${CMAKE_SOURCE_DIR}/tests)
target_compile_definitions(lt_symbolize_shop PRIVATE LT_SAMPLES_DIR="${CMAKE_CURRENT_SOURCE_DIR}/symbolize")
target_link_libraries(lt_symbolize_shop PRIVATE lt_warnings lt_hosted PUBLIC lt_symbolize_libs PkgConfig::CMOCKA)

function(lt_symbolize_test name)
  lt_unit_test(${name} ROOMS report dump base LIBS lt_symbolize_shop lt_dump_reader_host)
endfunction()

lt_symbolize_test(symbolize_parity)
lt_symbolize_test(symbolize_files)
lt_symbolize_test(symbolize_debug)
