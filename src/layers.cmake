# One OBJECT library per layer, and a layer can only include what lies below it: its include path is a folder of
# links to just those rooms, so that a forbidden #include does not compile.

add_library(lt_warnings INTERFACE)
target_compile_options(lt_warnings INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
                                             -Wvla -Wundef $<$<BOOL:${LEAKTRACK_WERROR}>:-Werror>)

# Flags of code that runs in a stranger's process.
add_library(lt_preloaded INTERFACE)
target_compile_options(
  lt_preloaded
  INTERFACE -fvisibility=hidden
            -ftls-model=initial-exec # a general-dynamic access may call malloc
            -fomit-frame-pointer
            -fno-plt # a call through a lazy PLT slot costs a kilobyte of stack
            -fno-builtin-malloc -fno-builtin-calloc -fno-builtin-realloc -fno-builtin-free
            -fcf-protection=full
            -fexceptions # so that exceptions and cancellation can pass through a hook
            -fno-stack-protector
            -fno-tree-slp-vectorize # it pairs words that belong together in memory only: a quarter of the hot path
            # without optimisation every copy of a struct has a place of its own
            $<$<COMPILE_LANGUAGE:C>:-Wframe-larger-than=$<IF:$<CONFIG:Debug>,2048,768>>
            $<$<CONFIG:RelWithDebInfo>:-O2>)
target_compile_definitions(lt_preloaded INTERFACE _GNU_SOURCE)

# Flags of everything else: the report, the tests, the fuzzers.
add_library(lt_hosted INTERFACE)
target_compile_definitions(lt_hosted INTERFACE _GNU_SOURCE LT_SANITIZED=$<BOOL:${LEAKTRACK_SANITIZE}>)
if(LEAKTRACK_SANITIZE)
  target_compile_options(lt_hosted INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all
                                             -fno-omit-frame-pointer)
  target_link_options(lt_hosted INTERFACE -fsanitize=address,undefined)
endif()
if(LEAKTRACK_FUZZ)
  target_compile_options(lt_hosted INTERFACE -fsanitize=fuzzer-no-link) # counts edges; the fuzzers see new ones
endif()

# lt_whole(target...): where the compiler can, optimised together with what it is linked with, in the release. With gcc only:
# clang's objects would be bitcode, which tests and benchmarks that are not whole themselves can't link.
function(lt_whole)
  if(LEAKTRACK_WHOLE AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
    set_target_properties(${ARGN} PROPERTIES INTERPROCEDURAL_OPTIMIZATION_RELWITHDEBINFO ON)
  endif()
endfunction()

# lt_rooms(OUT room...): a folder from which only the named rooms can be included
function(lt_rooms out)
  string(JOIN "-" id ${ARGN})
  set(dir ${CMAKE_BINARY_DIR}/rooms/${id})
  file(MAKE_DIRECTORY ${dir})
  foreach(room ${ARGN})
    file(CREATE_LINK ${CMAKE_SOURCE_DIR}/src/${room} ${dir}/${room} SYMBOLIC)
  endforeach()
  set(${out} ${dir} PARENT_SCOPE)
endfunction()

# lt_layer(NAME SOURCES file... USES room... [ROOM room] [HOSTED_ONLY] [OPTIONS flag...])
# makes lt_NAME (flags of preloaded code) and lt_NAME_host (the same sources for tests, fuzzers and the report); the
# sources live in the room NAME, or in ROOM where a room holds two layers
function(lt_layer name)
  cmake_parse_arguments(arg "HOSTED_ONLY" "ROOM" "SOURCES;USES;OPTIONS" ${ARGN})
  if(NOT arg_ROOM)
    set(arg_ROOM ${name})
  endif()
  lt_rooms(rooms ${arg_ROOM} ${arg_USES})
  set(variants lt_${name}_host)
  if(NOT arg_HOSTED_ONLY)
    list(APPEND variants lt_${name})
  endif()
  foreach(target ${variants})
    add_library(${target} OBJECT ${arg_SOURCES})
    target_include_directories(${target} PRIVATE ${rooms} ${CMAKE_SOURCE_DIR}/include)
    target_compile_options(${target} PRIVATE ${arg_OPTIONS})
    target_link_libraries(${target} PRIVATE lt_warnings)
  endforeach()
  target_link_libraries(lt_${name}_host PRIVATE lt_hosted)
  if(NOT arg_HOSTED_ONLY)
    target_link_libraries(lt_${name} PRIVATE lt_preloaded)
    lt_whole(lt_${name})
  endif()
endfunction()
