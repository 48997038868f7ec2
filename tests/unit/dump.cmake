lt_unit_test(dump_writer ROOMS base dump LIBS lt_make_dump lt_dump_reader_host)
lt_unit_test(dump_reader ROOMS base dump LIBS lt_make_dump lt_dump_reader_host)
lt_unit_test(dump_damage ROOMS base dump LIBS lt_make_dump lt_dump_reader_host)
