find_package(Threads REQUIRED)

# The tracker above an unwinder that the test drives: lt_unit_test with the headers of unwind but not its code.
function(lt_track_test name)
  lt_unit_test(${name} SOURCES track_fake_unwind.c ${ARGN} ROOMS base os dump track LIBS lt_dump_reader_host Threads::Threads)
  lt_rooms(headers unwind)
  target_include_directories(${name} PRIVATE ${headers})
endfunction()

lt_track_test(track_descriptors)
lt_track_test(track_live_index)
lt_track_test(track_live_index_hammer)
lt_track_test(track_misuses track_world.c)
lt_track_test(track_snapshot track_world.c)
lt_track_test(track_stacks)
lt_track_test(track_threads track_world.c)
lt_track_test(track_snapshot_trouble track_world.c)
