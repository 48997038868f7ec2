# The preload room is tested from outside, by programs under the shim; here only what is pure in it.
lt_rooms(preload_rooms preload track unwind dump os base)

lt_unit_test(preload_options SOURCES ${CMAKE_SOURCE_DIR}/src/preload/options.c ROOMS base os)
target_include_directories(preload_options PRIVATE ${preload_rooms})

lt_unit_test(preload_scope SOURCES ${CMAKE_SOURCE_DIR}/src/preload/scope.c ROOMS base)
target_include_directories(preload_scope PRIVATE ${preload_rooms})
set_target_properties(preload_scope PROPERTIES ENABLE_EXPORTS ON)
