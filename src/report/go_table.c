/* The runtime's own algorithms, with every offset checked. A function's values (file, line, inlined call) are each a
 * run of (value difference, length in code) pairs from its entry on; offset 0 stands for "no table". */
#include "report/go_table.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

/* What differs between the versions: everything else has stayed in its place. */
struct lt_go_layout {
    uint32_t magic;
    bool has_text_start;   /* header: textStart in front of the offsets; functions: 32-bit offsets from it */
    uint8_t function_data; /* offset of nfuncdata, its last byte */
    uint8_t inline_size;   /* of an entry of the inline tree; 0: not read */
    uint8_t inline_name, inline_parent_pc;
    uint16_t inline_base[2]; /* where moduledata may have gofunc; 0 = no more */
};

static const struct lt_go_layout LAYOUTS[] = {
    {.magic = 0xfffffffa, .function_data = 43},
    {.magic = 0xfffffff0,
     .has_text_start = true,
     .function_data = 39,
     .inline_size = 20,
     .inline_name = 12,
     .inline_parent_pc = 16,
     .inline_base = {304}},
    {.magic = 0xfffffff1,
     .has_text_start = true,
     .function_data = 43,
     .inline_size = 16,
     .inline_name = 4,
     .inline_parent_pc = 8,
     .inline_base = {344, 320}}, /* since Go 1.27; before */
};

enum {
    POINTER = 8,
    HEADER_NFUNC = 8,
    HEADER_TEXT_START = 24,
    FUNCTION_NAME = 4, /* these as in a record that begins with a 32-bit entry */
    FUNCTION_PCFILE = 20,
    FUNCTION_PCLN = 24,
    FUNCTION_NPCDATA = 28,
    FUNCTION_UNIT = 32,
    PCDATA_INLINE = 2,
    FUNCDATA_INLINE = 3,
    MODULE_TEXT = 176,
    NO_FILE = -1,
};

static const struct lt_go_layout *layout_of(const struct lt_go_bytes *bytes) {
    uint32_t magic;
    if (bytes->size < HEADER_NFUNC + 8 * POINTER || bytes->at[4] || bytes->at[5] || bytes->at[7] != POINTER ||
        (bytes->at[6] != 1 && bytes->at[6] != 2 && bytes->at[6] != 4))
        return NULL;
    memcpy(&magic, bytes->at, sizeof magic);
    for (size_t i = 0; i < sizeof LAYOUTS / sizeof LAYOUTS[0]; i++)
        if (LAYOUTS[i].magic == magic)
            return &LAYOUTS[i];
    return NULL;
}

static bool is_table(const struct lt_go_bytes *bytes) {
    return layout_of(bytes);
}

/* Missing bytes read as 0. */
static uint32_t u32(const struct lt_go_bytes *bytes, uint64_t offset) {
    uint32_t value = 0;
    if (bytes->size >= sizeof value && offset <= bytes->size - sizeof value)
        memcpy(&value, bytes->at + offset, sizeof value);
    return value;
}

static uint64_t u64(const struct lt_go_bytes *bytes, uint64_t offset) {
    return u32(bytes, offset) | (uint64_t)u32(bytes, offset + 4) << 32;
}

static struct lt_go_bytes from(const struct lt_go_bytes *bytes, uint64_t offset) {
    if (offset >= bytes->size)
        return (struct lt_go_bytes){0};
    return (struct lt_go_bytes){.at = bytes->at + offset, .size = bytes->size - offset, .vaddr = bytes->vaddr + offset};
}

static const char *keep_text(struct lt_symbol_names *names, const struct lt_go_bytes *bytes, uint64_t offset) {
    const struct lt_go_bytes text = from(bytes, offset);
    if (!text.size || !memchr(text.at, '\0', text.size))
        return NULL;
    return lt_symbol_names_keep(names, (const char *)text.at);
}

/* moduledata is where the runtime keeps the addresses of all of this: its first two words are the table's and that of
 * its names. */
static uint64_t find_module(const struct lt_go_table *table) {
    uint64_t names;
    for (uint64_t at = 0; (at = lt_go_image_find(&table->image, table->bytes.vaddr, at)) != 0;)
        if (lt_go_image_word(&table->image, at + POINTER, &names) && names == table->names.vaddr)
            return at;
    return 0;
}

/* gofunc stands behind rodata, which is not above it; both are in the file. */
static uint64_t find_inline_base(const struct lt_go_table *table, uint64_t module) {
    for (size_t i = 0; i < sizeof table->layout->inline_base / sizeof table->layout->inline_base[0]; i++) {
        const uint64_t place = module + table->layout->inline_base[i];
        uint64_t rodata, base;
        if (!table->layout->inline_base[i])
            break;
        if (lt_go_image_word(&table->image, place - POINTER, &rodata) &&
            lt_go_image_word(&table->image, place, &base) && rodata && rodata <= base &&
            lt_go_image_at(&table->image, rodata).size && lt_go_image_at(&table->image, base).size)
            return base;
    }
    return 0;
}

/* Since Go 1.26 textStart is 0, and only moduledata says it. */
static void find_text(struct lt_go_table *table, uint64_t module) {
    if (table->layout->has_text_start &&
        !lt_go_image_word(&table->image, table->bytes.vaddr + HEADER_TEXT_START, &table->text))
        table->text = 0;
    if (table->layout->has_text_start && !table->text && module)
        (void)!lt_go_image_word(&table->image, module + MODULE_TEXT, &table->text);
}

static void read_header(struct lt_go_table *table) {
    const struct lt_go_bytes *bytes = &table->bytes;
    const uint64_t offsets = HEADER_NFUNC + (table->layout->has_text_start ? 3 : 2) * POINTER;
    struct lt_go_bytes *const parts[] = {&table->names, &table->units, &table->files, &table->pcs, &table->functions};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        *parts[i] = from(bytes, u64(bytes, offsets + i * POINTER));
    const size_t entry = table->layout->has_text_start ? 8 : 16;
    const uint64_t count = u64(bytes, HEADER_NFUNC), room = table->functions.size / entry;
    table->function_count = count < room ? count : 0; /* behind the last stands where the code ends */
}

/* The linker of the C compiler has put the table anywhere: of programs, of libraries for -linkshared. */
static bool is_by_go(const struct lt_go_image *image) {
    return lt_go_image_section(image, ".note.go.buildid").size || lt_go_image_section(image, ".note.go.abihash").size;
}

int lt_go_table_open(struct lt_go_table *table, Elf *elf) {
    *table = (struct lt_go_table){0};
    if (lt_go_image_open(&table->image, elf) != 0)
        return 0;
    table->bytes = lt_go_image_section(&table->image, ".gopclntab");
    if (!table->bytes.size && is_by_go(&table->image))
        table->bytes = lt_go_image_scan(&table->image, is_table);
    table->layout = table->bytes.size ? layout_of(&table->bytes) : NULL;
    if (!table->layout)
        return 0;
    if (lt_go_image_relocate(&table->image) != 0)
        return -ENOMEM;
    read_header(table);
    const uint64_t module = find_module(table);
    find_text(table, module);
    if (module && table->layout->inline_size)
        table->inline_base = find_inline_base(table, module);
    return 0;
}

void lt_go_table_close(struct lt_go_table *table) {
    lt_go_image_close(&table->image);
    *table = (struct lt_go_table){0};
}

/* Entry address of function `i`; of the one behind the last, where the code ends. */
static uint64_t function_start(const struct lt_go_table *table, uint64_t i) {
    uint64_t start = 0;
    if (table->layout->has_text_start)
        return table->text + u32(&table->functions, i * 8);
    (void)!lt_go_image_word(&table->image, table->functions.vaddr + i * 16, &start);
    return start;
}

static struct lt_go_bytes function_record(const struct lt_go_table *table, uint64_t i) {
    const bool narrow = table->layout->has_text_start;
    return from(&table->functions, narrow ? u32(&table->functions, i * 8 + 4) : u64(&table->functions, i * 16 + 8));
}

struct function {
    struct lt_go_bytes record;
    uint64_t start;
    uint64_t wide; /* 4 where the record begins with a whole address, else 0 */
};

static bool find_function(const struct lt_go_table *table, uint64_t vaddr, struct function *function) {
    uint64_t low = 0, high = table->function_count;
    if (!high || vaddr < function_start(table, 0) || vaddr >= function_start(table, high))
        return false;
    while (high - low > 1) {
        const uint64_t middle = low + (high - low) / 2;
        if (function_start(table, middle) <= vaddr)
            low = middle;
        else
            high = middle;
    }
    *function = (struct function){.record = function_record(table, low),
                                  .start = function_start(table, low),
                                  .wide = table->layout->has_text_start ? 0 : 4};
    return function->record.size > table->layout->function_data;
}

static uint32_t field(const struct function *function, uint64_t offset) {
    return u32(&function->record, offset + function->wide);
}

static uint32_t next_varint(struct lt_go_bytes *bytes) {
    uint32_t value = 0;
    for (unsigned shift = 0; bytes->size; shift += 7) {
        const uint8_t byte = *bytes->at;
        *bytes = from(bytes, 1);
        if (shift < 32)
            value |= (uint32_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            break;
    }
    return value;
}

/* The value that the run at `offset` gives for `vaddr`; -1 where it gives none. */
static int32_t value_at(const struct lt_go_table *table, const struct function *function, uint32_t offset,
                        uint64_t vaddr) {
    struct lt_go_bytes run = offset ? from(&table->pcs, offset) : (struct lt_go_bytes){0};
    uint64_t pc = function->start;
    uint32_t value = UINT32_MAX;
    for (bool first = true; run.size; first = false) {
        const uint32_t step = next_varint(&run);
        if (!step && !first)
            break;
        value += step & 1 ? ~(step >> 1) : step >> 1;
        pc += (uint64_t)next_varint(&run) * table->bytes.at[6];
        if (vaddr < pc)
            return (int32_t)value;
    }
    return -1;
}

static void place(const struct lt_go_table *table, struct lt_symbol_names *names, const struct function *function,
                  uint64_t vaddr, struct lt_symbol_line *line) {
    const int32_t file = value_at(table, function, field(function, FUNCTION_PCFILE), vaddr);
    const int32_t number = value_at(table, function, field(function, FUNCTION_PCLN), vaddr);
    if (file < 0)
        return;
    const uint64_t unit = field(function, FUNCTION_UNIT);
    const uint32_t name = u32(&table->units, (unit + (uint32_t)file) * 4);
    line->file = name == UINT32_MAX ? NULL : keep_text(names, &table->files, name);
    line->line = number > 0 ? (unsigned)number : 0;
}

/* The function's inline tree; empty where it has none, or where it can't be found. */
static struct lt_go_bytes inline_tree(const struct lt_go_table *table, const struct function *function) {
    const uint64_t end = table->layout->function_data + 1u;
    const uint64_t values = field(function, FUNCTION_NPCDATA);
    if (!table->inline_base || function->record.at[table->layout->function_data] <= FUNCDATA_INLINE ||
        values <= PCDATA_INLINE || values > UINT16_MAX)
        return (struct lt_go_bytes){0};
    const uint32_t tree = u32(&function->record, end + (values + FUNCDATA_INLINE) * 4);
    return tree == UINT32_MAX ? (struct lt_go_bytes){0} : lt_go_image_at(&table->image, table->inline_base + tree);
}

size_t lt_go_table_lines(const struct lt_go_table *table, struct lt_symbol_names *names, uint64_t vaddr,
                         struct lt_symbol_line *lines, size_t max) {
    struct function function;
    if (!find_function(table, vaddr, &function) || max == 0)
        return 0;
    const struct lt_go_bytes tree = inline_tree(table, &function);
    const uint32_t calls = tree.size ? u32(&function.record, table->layout->function_data + 1u + PCDATA_INLINE * 4) : 0;
    const size_t size = table->layout->inline_size;
    for (size_t count = 0;; count++) {
        lines[count] = (struct lt_symbol_line){0};
        place(table, names, &function, vaddr, &lines[count]);
        const int32_t call = calls && count + 1 < max ? value_at(table, &function, calls, vaddr) : -1;
        if (call < 0 || (uint64_t)call >= tree.size / size) {
            lines[count].function = keep_text(names, &table->names, field(&function, FUNCTION_NAME));
            return count + 1;
        }
        lines[count].function =
            keep_text(names, &table->names, u32(&tree, (uint64_t)call * size + table->layout->inline_name));
        lines[count].inlined = true;
        vaddr = function.start + u32(&tree, (uint64_t)call * size + table->layout->inline_parent_pc);
    }
}
