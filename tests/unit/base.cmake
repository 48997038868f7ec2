lt_unit_test(base_crc32c ROOMS base)
lt_unit_test(base_fmt ROOMS base)
lt_unit_test(base_hash ROOMS base)
lt_unit_test(base_varint ROOMS base)
