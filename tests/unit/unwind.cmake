pkg_check_modules(LIBUNWIND IMPORTED_TARGET libunwind>=1.3)
if(NOT LIBUNWIND_FOUND)
  message(FATAL_ERROR "The unwinder's tests need libunwind >= 1.3 as their judge (Debian: libunwind-dev)")
endif()

lt_unit_test(unwind_stacks SOURCES unwind_judge.c ROOMS base os unwind LIBS PkgConfig::LIBUNWIND Threads::Threads ${CMAKE_DL_LIBS})
target_compile_options(unwind_stacks PRIVATE -fno-omit-frame-pointer)
