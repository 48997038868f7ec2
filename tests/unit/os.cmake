find_package(Threads REQUIRED)
lt_unit_test(os_arena ROOMS base os LIBS Threads::Threads)
