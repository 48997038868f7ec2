# The file without the rest of the tracker.
function(lt_dump_file_test name)
  lt_unit_test(${name} SOURCES ${CMAKE_SOURCE_DIR}/src/track/dump_file.c ${CMAKE_SOURCE_DIR}/src/track/dump_runs.c
               ROOMS base os dump LIBS lt_dump_reader_host)
  lt_rooms(headers track)
  target_include_directories(${name} PRIVATE ${headers})
endfunction()

lt_dump_file_test(dump_runs)
lt_dump_file_test(dump_file_descriptor)
lt_dump_file_test(dump_file_owner)
lt_dump_file_test(dump_file_size)
