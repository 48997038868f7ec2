# The life cycle: what of it is pure, and what the os room does for it.
find_package(Threads REQUIRED)
lt_rooms(preload_rooms preload track unwind dump os base)

lt_unit_test(preload_schedule SOURCES ${CMAKE_SOURCE_DIR}/src/preload/schedule.c ROOMS base)
lt_unit_test(preload_output_name SOURCES ${CMAKE_SOURCE_DIR}/src/preload/output_name.c ROOMS base)
foreach(name preload_schedule preload_output_name)
  target_include_directories(${name} PRIVATE ${preload_rooms})
endforeach()
lt_unit_test(os_isolation ROOMS base os LIBS Threads::Threads)
lt_unit_test(os_sandbox ROOMS base os)
