# The unwinder alone, as it is in the library.
lt_rooms(capture_rooms unwind os base)
add_executable(capture capture.c)
target_include_directories(capture PRIVATE ${capture_rooms})
target_link_libraries(capture PRIVATE lt_warnings lt_preloaded lt_unwind lt_os lt_base)
set_target_properties(capture PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
