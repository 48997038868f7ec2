find_package(Threads REQUIRED)
lt_unit_test(os_arena ROOMS base os LIBS Threads::Threads)
lt_unit_test(os_atomic16 ROOMS base os LIBS Threads::Threads)
target_compile_options(os_atomic16 PRIVATE -mcx16) # the writer swaps 16 bytes at once
lt_unit_test(os_clock ROOMS base os)
lt_unit_test(os_file ROOMS base os)
lt_unit_test(os_memory ROOMS base os)
lt_unit_test(os_proc ROOMS base os LIBS Threads::Threads)
lt_unit_test(os_task ROOMS base os LIBS Threads::Threads)
