# The rules of a library in a stranger's process. The programs are never sanitized: under a sanitizer the shim does nothing.
set(shim $<TARGET_FILE:leaktrack>)

function(lt_library_rule name)
  add_test(NAME rules.${name} COMMAND ${ARGN} WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  set_tests_properties(rules.${name} PROPERTIES LABELS rules TIMEOUT 120)
endfunction()

# lt_under_shim(NAME [SAYS regex] [BEHIND library...] COMMAND program...): see under_shim.sh
function(lt_under_shim name)
  cmake_parse_arguments(arg "" "SAYS" "BEHIND;COMMAND" ${ARGN})
  if(NOT arg_SAYS)
    set(arg_SAYS "-")
  endif()
  set(preload ${shim} ${arg_BEHIND})
  list(JOIN preload ":" preload)
  lt_library_rule(${name} ./under_shim.sh "${preload}" "${arg_SAYS}" ${arg_COMMAND})
endfunction()

# lt_shim_only(NAME [BEHIND library...] COMMAND program...): see shim_only.sh
function(lt_shim_only name)
  cmake_parse_arguments(arg "" "" "BEHIND;COMMAND" ${ARGN})
  set(preload ${shim} ${arg_BEHIND})
  list(JOIN preload ":" preload)
  lt_library_rule(${name} ./shim_only.sh "${preload}" ${arg_COMMAND})
endfunction()

function(lt_rule_program name)
  add_executable(${name} ${name}.c ${ARGN})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/include)
  target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
  target_compile_options(${name} PRIVATE -fno-builtin)
  target_link_libraries(${name} PRIVATE lt_warnings)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
endfunction()

function(lt_rule_library name)
  add_library(${name} SHARED ${name}.c)
  target_compile_options(${name} PRIVATE -fno-builtin)
  target_link_libraries(${name} PRIVATE lt_warnings)
  set_target_properties(${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
endfunction()

lt_library_rule(exports ./exports.sh ${shim} ${CMAKE_SOURCE_DIR})
lt_library_rule(library ./library.sh ${shim})
lt_library_rule(other_names ./other_names.sh ${shim})
set_tests_properties(rules.other_names PROPERTIES SKIP_RETURN_CODE 77)

# What the heap functions do.
lt_rule_program(heap_semantics)
lt_under_shim(heap_semantics COMMAND $<TARGET_FILE:heap_semantics>)

lt_rule_library(counting_heap)
lt_rule_program(heap_calls_are_forwarded_once)
lt_under_shim(heap_calls_are_forwarded_once BEHIND $<TARGET_FILE:counting_heap> COMMAND $<TARGET_FILE:heap_calls_are_forwarded_once>)

lt_rule_program(every_heap_function_is_counted)
lt_shim_only(every_heap_function_is_counted COMMAND $<TARGET_FILE:every_heap_function_is_counted>)

find_package(Threads REQUIRED)
lt_rule_program(every_descriptor_function_is_counted)
target_link_libraries(every_descriptor_function_is_counted PRIVATE Threads::Threads rt util)
lt_shim_only(every_descriptor_function_is_counted COMMAND $<TARGET_FILE:every_descriptor_function_is_counted>)

lt_rule_program(other_names_are_counted)
lt_shim_only(other_names_are_counted COMMAND $<TARGET_FILE:other_names_are_counted>)

lt_rule_program(descriptor_calls_are_forwarded_once)
lt_library_rule(descriptor_calls_are_forwarded_once ./descriptor_calls_are_forwarded_once.sh ${shim}
                $<TARGET_FILE:descriptor_calls_are_forwarded_once>)
set_tests_properties(rules.descriptor_calls_are_forwarded_once PROPERTIES SKIP_RETURN_CODE 77)

lt_rule_library(bump_heap)
lt_rule_program(signals_anywhere)
foreach(mode nested altstack longjmp)
  lt_shim_only(signals_anywhere_${mode} BEHIND $<TARGET_FILE:bump_heap> COMMAND $<TARGET_FILE:signals_anywhere> ${mode})
endforeach()

# The same when the loader itself is the command: it moves the arguments and the environment down.
execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=ld-linux-x86-64.so.2 OUTPUT_VARIABLE loader
                OUTPUT_STRIP_TRAILING_WHITESPACE)
lt_shim_only(started_by_the_loader COMMAND ${loader} $<TARGET_FILE:every_heap_function_is_counted>)
lt_shim_only(counted_with_libunwind COMMAND $<TARGET_FILE:every_heap_function_is_counted>)
lt_shim_only(counted_with_frame_pointers COMMAND $<TARGET_FILE:every_heap_function_is_counted>)
set_tests_properties(rules.counted_with_libunwind PROPERTIES ENVIRONMENT LEAKTRACK_UNWINDER=libunwind)
set_tests_properties(rules.counted_with_frame_pointers PROPERTIES ENVIRONMENT LEAKTRACK_UNWINDER=fp)

lt_rule_program(threads_that_end)
lt_shim_only(threads_that_end COMMAND $<TARGET_FILE:threads_that_end>)

lt_rule_program(threads_without_storage)
lt_shim_only(threads_without_storage BEHIND $<TARGET_FILE:bump_heap>
             COMMAND $<TARGET_FILE:threads_without_storage>)

lt_rule_program(no_system_call)
lt_under_shim(no_system_call COMMAND $<TARGET_FILE:no_system_call>)
set_tests_properties(rules.no_system_call PROPERTIES ENVIRONMENT LEAKTRACK_DUMPER=off) # it makes system calls

# Where the heap can't be tracked the program runs on and the log says why.
lt_rule_program(hello)
lt_rule_library(partial_heap)
lt_under_shim(heap_of_several_objects BEHIND $<TARGET_FILE:partial_heap> COMMAND $<TARGET_FILE:hello>
              SAYS "malloc, calloc, realloc and free come from several objects: .*libc.so.6")

lt_under_shim(no_memory_for_the_tables SAYS "no memory for the tables"
              COMMAND prlimit --as=12000000 $<TARGET_FILE:hello>)
lt_under_shim(options_that_make_no_sense SAYS "LEAKTRACK_DEPTH is not understood; the default holds: x"
              COMMAND env LEAKTRACK_DEPTH=x $<TARGET_FILE:hello>)

lt_rule_program(brings_its_own_malloc counting_heap.c)
set_target_properties(brings_its_own_malloc PROPERTIES ENABLE_EXPORTS ON)
lt_under_shim(brings_its_own_malloc COMMAND $<TARGET_FILE:brings_its_own_malloc> SAYS "brings its own malloc")

add_executable(sanitized hello.c)
target_compile_options(sanitized PRIVATE -fsanitize=address)
target_link_options(sanitized PRIVATE -fsanitize=address)
set_target_properties(sanitized PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
lt_under_shim(sanitized COMMAND env ASAN_OPTIONS=verify_asan_link_order=0 $<TARGET_FILE:sanitized>
              SAYS "sanitizer's runtime is in the process")
