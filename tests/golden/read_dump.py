#!/usr/bin/env python3
"""read_dump.py DUMP: prints what a dump holds, one line a row, in the order of the file.

A second reader, written from docs/dump-format.md alone and with nothing but the standard library. The tests compare its
output with that of tests/support/print_dump.c, which uses the project's reader. Status 0: complete; 4: something is cut or
damaged, what is whole was printed; 3: no complete snapshot.
"""
import struct
import sys

MAGIC = b"\x89LTK\r\n\x1a\n"
HOLE, PROCESS, MODULES, NODES, SNAPSHOT, SITES, BLOCKS, COUNTERS, UNLOADS, END = range(10)
SAMPLES, DESCRIPTORS, MAPPINGS, THREADS, MISUSES = range(10, 15)
ROWS = (SITES, BLOCKS, COUNTERS, SAMPLES, DESCRIPTORS, MAPPINGS, THREADS, MISUSES)
KNOWN = (HOLE, PROCESS, MODULES, NODES, SNAPSHOT, UNLOADS, END, *ROWS)
CRITICAL = 1
KINDS = ["", "heap", "mapping", "file", "directory", "socket", "pipe", "event", "stream", "thread", "timer"]
PROCESS_TEXTS = {1: "exe", 3: "host", 6: "arch", 7: "library", 9: "unwinder"}
PROCESS_LISTS = {2: "arg", 8: "option", 10: "note"}
PROCESS_NUMBERS = {4: "ppid", 5: "forked-from"}
ORIGINS, CLASSES, MISUSE_WHATS = 5, 12, 5  # the first numbers that mean nothing
NO_NUMBER = (1 << 64) - 1  # stands for an absent one
DETAIL_TEXTS = {2: "protocol", 3: "state", 4: "local", 5: "peer", 12: "note"}
DETAIL_NUMBERS = {1: "inode", 6: "receive", 7: "send", 8: "memory", 9: "position", 10: "size", 11: "watches",
                  13: "resident"}


def crc_table():
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        yield crc


CRC_TABLE = list(crc_table())


def crc32c(data, crc=0):
    crc ^= 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


class Malformed(Exception):
    """A payload that does not follow the format."""


class Refused(Exception):
    """A file that this reader must not use."""


class Payload:
    def __init__(self, data):
        self.data, self.at = data, 0

    def more(self):
        return self.at < len(self.data)

    def varint(self, limit=1 << 64):
        value = 0
        for shift in range(0, 70, 7):
            if not self.more():
                raise Malformed("ends inside a number")
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if value >= limit:
                    raise Malformed("a number is out of range")
                return value
        raise Malformed("a number is too long")

    def u32(self):
        return self.varint(1 << 32)

    def svarint(self):
        value = self.varint()
        return value >> 1 ^ -(value & 1)

    def bytes(self):
        length = self.varint()
        if length > len(self.data) - self.at:
            raise Malformed("ends inside a name")
        self.at += length
        return self.data[self.at - length:self.at]

    def text(self):
        text = self.bytes()
        if 0 in text:
            raise Malformed("a NUL in a name")
        return text

    def count(self):
        count = self.varint()
        if count > len(self.data) - self.at:  # a row has at least one byte
            raise Malformed("a count above what is left")
        return count

    def kind(self):
        kind = self.varint(len(KINDS))
        if kind == 0:
            raise Malformed("no kind")
        return kind


def quote(text):
    """Printable ASCII as it is, everything else as \\xNN."""
    return "".join(chr(b) if 0x20 <= b < 0x7F and b not in b'"\\' else "\\x%02x" % b for b in text)


class Dump:
    def __init__(self, data):
        self.data = data
        self.process = {}
        self.lists = {"arg": [], "option": [], "note": []}
        self.modules = [{}]
        self.nodes = [(0, 0, 0)]
        self.snapshots = []
        self.damage = []
        self.open = None  # the snapshot being read
        self.lost = False  # a dictionary that later snapshots need

    def read(self):
        at = self.read_header()
        pending = False
        while at < len(self.data):
            head = self.data[at:at + 24]
            if len(head) < 24 or crc32c(head[:20]) != struct.unpack_from("<I", head, 20)[0]:
                self.damage.append(f"head at {at}")
                break
            kind, version, flags, length, payload_crc, head_crc = struct.unpack("<IHHQII", head)
            if length > len(self.data) - at - 24:
                self.damage.append(f"section at {at} is cut")
                break
            payload = self.data[at + 24:at + 24 + length]
            pending = self.section(kind, version, flags, at, payload, payload_crc, pending)
            if self.open:
                self.open["sections"] += 1
                self.open["crc"] = crc32c(struct.pack("<I", head_crc), self.open["crc"])
            padded = (at + 24 + length + 7) // 8 * 8
            if padded > len(self.data) or any(self.data[at + 24 + length:padded]):
                self.damage.append(f"padding of the section at {at}")
            at = padded
        if pending and not self.damage:
            self.damage.append("END is missing")

    def read_header(self):
        header = self.data[:64]
        if len(header) < 64 or header[:8] != MAGIC:
            raise Refused("not a dump")
        major, minor, size, pid, _, ticks, wall, fd, _, inode, _, crc = struct.unpack_from("<HHIIIQQIIQII", header, 8)
        if major != 1:
            raise Refused(f"format {major}.{minor}")
        if crc32c(header[:60]) != crc or size < 64 or size % 8 or size > len(self.data):
            raise Refused("the header is damaged")
        self.process.update(pid=pid, ticks=ticks, start=wall, control=fd, inode=inode)
        return size

    def section(self, kind, version, flags, at, payload, payload_crc, pending):
        """Takes one section; returns whether an END must still come."""
        if kind not in KNOWN or version != 1:
            if flags & CRITICAL:
                raise Refused(f"section type {kind} version {version}")
            return pending
        if kind == HOLE:
            if self.open:
                self.open["usable"] = False
            return pending
        if kind in ROWS and not (self.open and self.open["usable"]):
            return pending
        if kind == END:
            self.end(at, payload, payload_crc)
            return False
        if kind == SNAPSHOT:
            self.open = None
        whole = crc32c(payload) == payload_crc
        if whole:
            try:
                self.take(kind, at, Payload(payload))
            except Malformed as reason:
                self.damage.append(f"section at {at}: {reason}")
                whole = False
        else:
            self.damage.append(f"CRC of the section at {at}")
        if not whole:
            self.lost |= kind in (MODULES, NODES)
            if kind == SNAPSHOT:
                self.open = {"usable": False, "sections": 0, "crc": 0}
            elif self.open and kind in ROWS:
                self.open["usable"] = False
        if self.open and self.lost:
            self.open["usable"] = False
        return pending or kind in (MODULES, NODES, SNAPSHOT)

    def take(self, kind, at, payload):
        if kind == PROCESS:
            self.take_process(payload)
        elif kind == MODULES:
            self.take_modules(payload)
        elif kind == UNLOADS:
            for _ in range(payload.count()):
                module = payload.varint(len(self.modules))
                self.modules[module]["unload"] = payload.u32()
        elif kind == NODES:
            self.take_nodes(payload)
        elif kind == SNAPSHOT:
            self.take_snapshot(at, payload)
        elif kind == SITES:
            self.take_sites(payload)
        elif kind == BLOCKS:
            self.take_blocks(payload)
        elif kind == COUNTERS:
            for _ in range(payload.count()):
                self.open["counters"].append((payload.u32(), payload.text(), payload.varint()))
        elif kind == SAMPLES:
            self.take_samples(payload)
        elif kind == DESCRIPTORS:
            self.take_descriptors(payload)
        elif kind == MAPPINGS:
            self.take_mappings(payload)
        elif kind == THREADS:
            self.take_threads(payload)
        elif kind == MISUSES:
            self.take_misuses(payload)

    def take_process(self, payload):
        while payload.more():
            name, value = payload.varint(), payload.bytes()
            if name in PROCESS_NUMBERS:
                self.process[PROCESS_NUMBERS[name]] = Payload(value).u32()
            elif name in PROCESS_TEXTS:
                self.process[PROCESS_TEXTS[name]] = value
            elif name in PROCESS_LISTS:
                self.lists[PROCESS_LISTS[name]].append(value)

    def take_modules(self, payload):
        if payload.varint() != len(self.modules):
            raise Malformed("the dictionary has a gap")
        for _ in range(payload.count()):
            module = {"path": payload.text(), "build-id": payload.bytes()}
            for field in ("bias", "device", "inode", "size", "mtime"):
                module[field] = payload.varint()
            module["load"], module["unload"] = payload.u32(), 0xFFFFFFFF
            module["segments"] = [(payload.varint(), payload.varint(), payload.varint(), payload.u32())
                                  for _ in range(payload.count())]
            self.modules.append(module)

    def take_nodes(self, payload):
        if payload.varint() != len(self.nodes):
            raise Malformed("the dictionary has a gap")
        offset = 0
        for _ in range(payload.count()):
            node = len(self.nodes)
            up = payload.varint(node + 1)
            if up == 0:
                raise Malformed("a node is its own parent")
            module = payload.varint(len(self.modules))
            offset = (offset + payload.svarint()) % (1 << 64)
            self.nodes.append((node - up, module, offset))

    def take_snapshot(self, at, payload):
        snapshot = {"usable": True, "sections": 0, "crc": 0, "start": at, "totals": {}, "sites": [], "blocks": [],
                    "counters": [], "sampling": 0, "samples": [], "descriptors": [], "mappings": [], "threads": [], "misuses": []}
        snapshot["index"], snapshot["wall"] = payload.varint(), payload.varint()
        snapshot["time"], snapshot["trigger"], snapshot["flags"] = payload.u32(), payload.u32(), payload.u32()
        for _ in range(payload.count()):
            kind = payload.kind()
            snapshot["totals"][kind] = [payload.varint() for _ in range(8)]
        self.open = snapshot

    def take_sites(self, payload):
        node = 0
        for _ in range(payload.count()):
            node += payload.varint(len(self.nodes) - node)
            kind, flags = payload.kind(), payload.u32()
            numbers = [payload.varint() for _ in range(4)]
            first = payload.u32()
            last = first + payload.varint((1 << 32) - first)
            ages = [(payload.varint(32), payload.varint(), payload.varint()) for _ in range(payload.count())]
            self.open["sites"].append((node, kind, flags, numbers, first, last, ages))

    def take_samples(self, payload):
        mean, before = payload.varint((1 << 30) + 1), self.open["sampling"]
        if mean == 0 or before not in (0, mean):
            raise Malformed("samples at a distance that can't be")
        self.open["sampling"] = mean
        node = 0
        for _ in range(payload.count()):
            node += payload.varint(len(self.nodes) - node)
            self.open["samples"].append((node, payload.kind(), payload.u32(), [payload.varint() for _ in range(6)]))

    def take_blocks(self, payload):
        address = 0
        for _ in range(payload.count()):
            address += payload.varint((1 << 64) - 1 - address)
            size, birth, node = payload.varint(), payload.u32(), payload.varint(len(self.nodes))
            self.open["blocks"].append((address, size, birth, node, payload.kind(), payload.u32()))

    def holder(self, payload):
        return payload.varint(len(self.nodes)), payload.varint(len(KINDS)), payload.u32(), payload.u32()

    @staticmethod
    def details(payload):
        found = {}
        for _ in range(payload.count()):
            field, value = payload.varint(), payload.bytes()
            if field in DETAIL_TEXTS:
                if 0 in value:
                    raise Malformed("a NUL in a name")
                found[DETAIL_TEXTS[field]] = value
            elif field in DETAIL_NUMBERS:
                found[DETAIL_NUMBERS[field]] = Payload(value).varint()
        return found

    def take_descriptors(self, payload):
        fd = 0
        for _ in range(payload.count()):
            fd += payload.varint((1 << 32) - fd)
            row = {"fd": fd, "kind": payload.kind(), "origin": payload.varint(ORIGINS), "flags": payload.u32(),
                   "holder": self.holder(payload), "target": payload.text(), "details": self.details(payload)}
            self.open["descriptors"].append(row)

    def take_mappings(self, payload):
        end = 0
        for _ in range(payload.count()):
            start = end + payload.varint((1 << 64) - 1 - end)
            end = start + payload.varint((1 << 64) - 1 - start)
            row = {"start": start, "length": end - start, "protection": payload.u32(),
                   "class": payload.varint(CLASSES), "origin": payload.varint(ORIGINS), "flags": payload.u32(),
                   "holder": self.holder(payload), "offset": payload.varint(), "path": payload.text(),
                   "details": self.details(payload)}
            self.open["mappings"].append(row)

    def take_threads(self, payload):
        for _ in range(payload.count()):
            row = {"tid": payload.u32(), "origin": payload.varint(ORIGINS), "flags": payload.u32(),
                   "holder": self.holder(payload), "stack": payload.varint(), "name": payload.text(),
                   "details": self.details(payload)}
            self.open["threads"].append(row)

    def take_misuses(self, payload):
        for _ in range(payload.count()):
            row = {"what": payload.varint(MISUSE_WHATS), "count": payload.varint(), "fd": payload.u32(),
                   "node": payload.varint(len(self.nodes)), "flags": payload.u32(), "opener": self.holder(payload)}
            if row["what"] == 0:
                raise Malformed("no misuse")
            self.open["misuses"].append(row)

    def end(self, at, data, data_crc):
        snapshot, self.open = self.open, None
        if not snapshot or not snapshot["usable"]:
            return
        payload = Payload(data)
        expected = (snapshot["index"], snapshot["sections"] + 1, at - snapshot["start"], snapshot["crc"])
        try:
            whole = crc32c(data) == data_crc and tuple(payload.varint() for _ in range(4)) == expected
        except Malformed:
            whole = False
        if whole:
            self.snapshots.append(snapshot)
        else:
            self.damage.append(f"END at {at}")

    def stack(self, node):
        frames = []
        while node:
            node, module, offset = self.nodes[node]
            frames.append(f"{module}+{offset:#x}")
        return " ".join(frames)

    def holder_text(self, holder):
        node, kind, flags, birth = holder
        return f"holder={KINDS[kind] or '-'}/{flags}/{birth}[{self.stack(node)}]"

    @staticmethod
    def details_text(details):
        texts = [f' {name} "{quote(details[name])}"' for name in DETAIL_TEXTS.values() if details.get(name)]
        numbers = [f" {name}={details[name]}" for name in DETAIL_NUMBERS.values()
                   if details.get(name, NO_NUMBER) != NO_NUMBER]
        return "".join(texts + numbers)

    def print(self):
        process = self.process
        print(f"process pid={process['pid']} ticks={process['ticks']} start={process['start']} "
              f"control={process['control']}/{process['inode']} ppid={process.get('ppid', 0)} "
              f"forked-from={process.get('forked-from', 0)}")
        for name in PROCESS_TEXTS.values():
            print(f'{name} "{quote(process.get(name, b""))}"')
        for name, texts in self.lists.items():
            for text in texts:
                print(f'{name} "{quote(text)}"')
        for number, module in enumerate(self.modules[1:], 1):
            print(f'module {number} "{quote(module["path"])}" build-id={module["build-id"].hex()} '
                  f'bias={module["bias"]:#x} device={module["device"]} inode={module["inode"]} size={module["size"]} '
                  f'mtime={module["mtime"]} load={module["load"]} unload={module["unload"]}')
            for vaddr, memsz, offset, flags in module["segments"]:
                print(f"segment {vaddr:#x} {memsz:#x} {offset:#x} {flags}")
        for snapshot in self.snapshots:
            self.print_snapshot(snapshot)

    def print_snapshot(self, snapshot):
        print(f"snapshot {snapshot['index']} wall={snapshot['wall']} time={snapshot['time']} "
              f"trigger={snapshot['trigger']} flags={snapshot['flags']}")
        for kind, numbers in sorted(snapshot["totals"].items()):
            print(f"totals {KINDS[kind]}", *numbers)
        for node, kind, flags, numbers, first, last, ages in snapshot["sites"]:
            ages = "".join(f" {age}:{count}/{size}" for age, count, size in ages)
            print(f"site {KINDS[kind]} flags={flags} {' '.join(map(str, numbers))} births={first}..{last} ages={ages} "
                  f"stack={self.stack(node)}")
        if snapshot["sampling"]:
            print(f"sampling {snapshot['sampling']}")
        for node, kind, flags, (live, alloc, *variances) in snapshot["samples"]:
            print(f"sample {KINDS[kind]} flags={flags} {live} {alloc} variances={' '.join(map(str, variances))} "
                  f"stack={self.stack(node)}")
        for address, size, birth, node, kind, flags in snapshot["blocks"]:
            print(f"block {address:#x} {KINDS[kind]} size={size} birth={birth} flags={flags} stack={self.stack(node)}")
        for group, name, value in snapshot["counters"]:
            print(f'counter {group} "{quote(name)}" {value}')
        self.print_resources(snapshot)

    def print_resources(self, snapshot):
        for row in snapshot["descriptors"]:
            print(f'descriptor {row["fd"]} {KINDS[row["kind"]]} origin={row["origin"]} flags={row["flags"]} '
                  f'{self.holder_text(row["holder"])} "{quote(row["target"])}"{self.details_text(row["details"])}')
        for row in snapshot["mappings"]:
            print(f'mapping {row["start"]:#x} {row["length"]} protection={row["protection"]} class={row["class"]} '
                  f'origin={row["origin"]} flags={row["flags"]} {self.holder_text(row["holder"])} '
                  f'offset={row["offset"]:#x} "{quote(row["path"])}"{self.details_text(row["details"])}')
        for row in snapshot["threads"]:
            print(f'thread {row["tid"]} origin={row["origin"]} flags={row["flags"]} '
                  f'{self.holder_text(row["holder"])} stack={row["stack"]} "{quote(row["name"])}"'
                  f'{self.details_text(row["details"])}')
        for row in snapshot["misuses"]:
            print(f'misuse {row["what"]} {row["count"]} fd={row["fd"]} flags={row["flags"]} '
                  f'{self.holder_text(row["opener"])} stack={self.stack(row["node"])}')


def main(path):
    with open(path, "rb") as file:
        dump = Dump(file.read())
    try:
        dump.read()
    except Refused as reason:
        print(f"read_dump: {reason}", file=sys.stderr)
        return 3
    if not dump.snapshots:
        print(f"read_dump: no complete snapshot: {dump.damage}", file=sys.stderr)
        return 3
    dump.print()
    for line in dump.damage:
        print(f"read_dump: {line}", file=sys.stderr)
    return 4 if dump.damage else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
