#!/usr/bin/env python3
"""cfi_seed.py ELF SEED [FUNCTION]: writes a seed for fuzz_cfi: the unwind information of a (small, 64-bit) ELF file.

The seed looks up addresses from the FUNCTION-th entry of the table on (0).
"""
import struct
import sys


def sections(elf):
    at, size, count, names = struct.unpack_from("<Q", elf, 40) + struct.unpack_from("<HHH", elf, 58)
    rows = [struct.unpack_from("<IIQQQQ", elf, at + i * size) for i in range(count)]
    strings = rows[names][4]
    return {elf[strings + row[0]:elf.index(0, strings + row[0])].decode(): row for row in rows}


def main(path, seed, function=0):
    with open(path, "rb") as file:
        elf = file.read()
    found = sections(elf)
    header, frames = found[".eh_frame_hdr"], found[".eh_frame"]
    start, end = min(header[3], frames[3]), max(header[3] + header[5], frames[3] + frames[5])
    image = bytearray(end - start)
    for _, _, _, address, offset, size in (header, frames):
        image[address - start:address - start + size] = elf[offset:offset + size]
    table = header[3] - start
    first = struct.unpack_from("<i", image, table + 12 + 8 * int(function))[0]
    with open(seed, "wb") as file:
        file.write(struct.pack("<HBBi", table, 0, 3, first + 1) + image)


main(*sys.argv[1:])
