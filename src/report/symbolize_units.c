/* Units are found by their own DW_AT_ranges, not by .debug_aranges: clang and Go write none, and libdw < 0.191 finds
 * nothing there. A unit's entries are walked once, when its first address comes: functions (nested ones too: local
 * classes, lambdas) and the scopes that names need. Entries of a unit stand in file order, so a scope is an interval of
 * it. */
#include "report/symbolize_units.h"

#include "report/symbolize_walk.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

enum { NO_SCOPE = UINT32_MAX };

struct scope {
    Dwarf_Die die;
    const char *end; /* where its children end, comparable with Dwarf_Die.addr */
    uint32_t parent; /* index, NO_SCOPE at the top */
};

struct lt_unit {
    UT_hash_handle hh;
    void *cu; /* key: code_die.cu */
    Dwarf_Die line_die, code_die;
    struct lt_ranges ranges; /* values: indices of functions */
    Dwarf_Die *functions;
    size_t function_count, function_capacity;
    struct scope *scopes;
    size_t scope_count, scope_capacity;
    bool is_stray; /* has code, but does not say where */
    bool indexed;
};

/* One walk over a unit: which scopes are open at each depth. */
struct unit_walk {
    struct lt_units *units;
    struct lt_unit *unit;
    struct lt_die_walk steps;
    uint32_t open[LT_DIE_DEPTH_MAX];
};

/* Adds the part of the entry's code that the linker kept. */
static LT_STATUS add_code_ranges(const struct lt_units *units, struct lt_ranges *ranges, Dwarf_Die *die,
                                 uint32_t value) {
    Dwarf_Addr base, start, end;
    for (ptrdiff_t at = 0; (at = dwarf_ranges(die, at, &base, &start, &end)) > 0;) {
        const struct lt_range *segment = lt_ranges_find(units->code, start - units->delta);
        bool kept = segment && end - units->delta <= segment->end;
        if (kept && lt_ranges_add(ranges, start - units->delta, end - units->delta, value) != 0)
            return -ENOMEM;
    }
    return 0;
}

static void free_unit(struct lt_unit *unit) {
    lt_ranges_free(&unit->ranges);
    free(unit->functions);
    free(unit->scopes);
    free(unit);
}

/* Keeps a unit; returns NULL where memory ran out. */
static struct lt_unit *keep_unit(struct lt_units *units, const Dwarf_Die *die) {
    if (lt_array_reserve((void **)&units->list, &units->capacity, units->count + 1, sizeof *units->list) != 0)
        return NULL;
    struct lt_unit *unit = calloc(1, sizeof *unit);
    if (!unit)
        return NULL;
    unit->line_die = unit->code_die = *die;
    unit->cu = die->cu;
    HASH_ADD_PTR(units->by_cu, cu, unit);
    if (!unit->hh.tbl) {
        free(unit);
        return NULL;
    }
    units->list[units->count++] = unit;
    return unit;
}

static LT_STATUS list_unit(struct lt_units *units, Dwarf_Die *die) {
    struct lt_unit *unit = keep_unit(units, die);
    if (!unit)
        return -ENOMEM;
    unit->is_stray = !dwarf_hasattr(die, DW_AT_ranges) && !dwarf_hasattr(die, DW_AT_high_pc);
    return add_code_ranges(units, &units->ranges, die, (uint32_t)units->count - 1);
}

LT_STATUS lt_units_open(struct lt_units *units, Dwarf *dwarf, uint64_t delta, const struct lt_ranges *code) {
    *units = (struct lt_units){.dwarf = dwarf, .delta = delta, .code = code};
    Dwarf_CU *cu = NULL;
    Dwarf_Die die;
    uint8_t type;
    while (dwarf_get_units(dwarf, cu, &cu, NULL, &type, &die, NULL) == 0) {
        bool has_code = type == DW_UT_compile || type == DW_UT_skeleton;
        if (has_code && dwarf_tag(&die) != DW_TAG_partial_unit && list_unit(units, &die) != 0)
            return -ENOMEM;
    }
    lt_ranges_sort(&units->ranges);
    return 0;
}

static bool is_scope(int tag) {
    return tag == DW_TAG_namespace || tag == DW_TAG_module || tag == DW_TAG_class_type ||
           tag == DW_TAG_structure_type || tag == DW_TAG_union_type || tag == DW_TAG_interface_type ||
           tag == DW_TAG_subprogram;
}

static bool holds_functions(int tag) {
    return is_scope(tag) || tag == DW_TAG_lexical_block || tag == DW_TAG_try_block || tag == DW_TAG_catch_block ||
           tag == DW_TAG_inlined_subroutine;
}

static LT_STATUS add_function(struct unit_walk *walk, Dwarf_Die *die) {
    struct lt_unit *unit = walk->unit;
    size_t ranges_before = unit->ranges.count;
    if (lt_array_reserve((void **)&unit->functions, &unit->function_capacity, unit->function_count + 1,
                         sizeof *unit->functions) != 0 ||
        add_code_ranges(walk->units, &unit->ranges, die, (uint32_t)unit->function_count) != 0)
        return -ENOMEM;
    if (unit->ranges.count > ranges_before)
        unit->functions[unit->function_count++] = *die;
    return 0;
}

static LT_STATUS open_scope(struct unit_walk *walk, Dwarf_Die *die) {
    struct lt_unit *unit = walk->unit;
    if (lt_array_reserve((void **)&unit->scopes, &unit->scope_capacity, unit->scope_count + 1, sizeof *unit->scopes) !=
        0)
        return -ENOMEM;
    size_t depth = walk->steps.depth;
    unit->scopes[unit->scope_count] = (struct scope){.die = *die, .parent = walk->open[depth - 1]};
    walk->open[depth] = (uint32_t)unit->scope_count++;
    return 0;
}

/* The walk has come to `die` (NULL: the end): scopes that were open at its depth or deeper end here. */
static void close_scopes(struct unit_walk *walk, size_t deepest, const Dwarf_Die *die) {
    size_t depth = die ? walk->steps.depth : 1;
    for (; deepest >= depth; deepest--) {
        uint32_t open = walk->open[deepest];
        if (open != walk->open[deepest - 1])
            walk->unit->scopes[open].end = die ? die->addr : (const char *)UINTPTR_MAX;
    }
}

static LT_STATUS visit(struct unit_walk *walk, Dwarf_Die *die, int tag) {
    walk->open[walk->steps.depth] = walk->open[walk->steps.depth - 1];
    if (is_scope(tag) && dwarf_haschildren(die) > 0 && open_scope(walk, die) != 0)
        return -ENOMEM;
    bool has_code = tag == DW_TAG_subprogram && (dwarf_hasattr(die, DW_AT_low_pc) || dwarf_hasattr(die, DW_AT_ranges));
    return has_code ? add_function(walk, die) : 0;
}

static LT_STATUS walk_unit(struct lt_units *units, struct lt_unit *unit) {
    struct unit_walk *walk = malloc(sizeof *walk);
    if (!walk)
        return -ENOMEM;
    walk->units = units;
    walk->unit = unit;
    walk->open[0] = NO_SCOPE;
    lt_die_walk_start(&walk->steps, &unit->code_die);
    int status = 0;
    bool into = true;
    size_t deepest = 0;
    for (Dwarf_Die *die; status == 0 && (die = lt_die_walk_next(&walk->steps, into)) != NULL;) {
        int tag = dwarf_tag(die);
        close_scopes(walk, deepest, die);
        status = visit(walk, die, tag);
        into = holds_functions(tag);
        deepest = walk->steps.depth;
    }
    close_scopes(walk, deepest, NULL);
    free(walk);
    lt_ranges_sort(&unit->ranges);
    return status;
}

/* With split DWARF the unit in the file is a skeleton; its functions are in a .dwo file, which libdw looks for. */
static void enter_split_unit(struct lt_units *units, struct lt_unit *unit) {
    Dwarf_Die split;
    uint8_t type = 0;
    if (dwarf_cu_info(unit->line_die.cu, NULL, &type, NULL, &split, NULL, NULL, NULL) != 0 || type != DW_UT_skeleton)
        return;
    if (!split.addr) {
        units->split_missing++;
        return;
    }
    HASH_DEL(units->by_cu, unit); /* entries are asked for by the handle of the unit that they are in */
    unit->code_die = split;
    unit->cu = split.cu;
    HASH_ADD_PTR(units->by_cu, cu, unit);
    if (!unit->hh.tbl)
        units->out_of_memory = true;
}

static void index_unit(struct lt_units *units, struct lt_unit *unit) {
    if (unit->indexed)
        return;
    unit->indexed = true;
    enter_split_unit(units, unit);
    if (walk_unit(units, unit) != 0)
        units->out_of_memory = true;
}

/* Some producers give a unit no addresses of its own. Its functions still have theirs. */
static void index_strays(struct lt_units *units) {
    for (uint32_t i = 0; i < units->count; i++) {
        struct lt_unit *unit = units->list[i];
        if (!unit->is_stray)
            continue;
        index_unit(units, unit);
        for (size_t j = 0; j < unit->ranges.count; j++)
            if (lt_ranges_add(&units->ranges, unit->ranges.items[j].start, unit->ranges.items[j].end, i) != 0)
                units->out_of_memory = true;
    }
    lt_ranges_sort(&units->ranges);
}

struct lt_unit *lt_units_find(struct lt_units *units, uint64_t vaddr) {
    const struct lt_range *range = lt_ranges_find(&units->ranges, vaddr);
    if (!range && !units->strays_indexed) {
        units->strays_indexed = true;
        index_strays(units);
        range = lt_ranges_find(&units->ranges, vaddr);
    }
    if (!range)
        return NULL;
    index_unit(units, units->list[range->value]);
    return units->list[range->value];
}

Dwarf_Die *lt_unit_line_die(struct lt_unit *unit) {
    return &unit->line_die;
}

Dwarf_Die *lt_unit_code_die(struct lt_unit *unit) {
    return &unit->code_die;
}

const Dwarf_Die *lt_unit_function(const struct lt_unit *unit, uint64_t vaddr) {
    const struct lt_range *range = lt_ranges_find(&unit->ranges, vaddr);
    return range ? &unit->functions[range->value] : NULL;
}

/* The unit an entry lives in: often not one with code (dwz's shared units, the early units of link-time optimisation).
 */
static struct lt_unit *unit_of(struct lt_units *units, Dwarf_Die *die) {
    void *cu = die->cu;
    struct lt_unit *unit;
    Dwarf_Die cu_die;
    HASH_FIND_PTR(units->by_cu, &cu, unit);
    if (!unit && dwarf_diecu(die, &cu_die, NULL, NULL))
        unit = keep_unit(units, &cu_die);
    if (unit)
        index_unit(units, unit);
    return unit;
}

static bool is_inside(const struct scope *scope, const void *address) {
    return (const char *)scope->die.addr < (const char *)address && (const char *)address < scope->end;
}

bool lt_units_scope(struct lt_units *units, Dwarf_Die *die, Dwarf_Die *scope) {
    const struct lt_unit *unit = unit_of(units, die);
    if (!unit)
        return false;
    size_t low = 0, high = unit->scope_count; /* how many begin before the entry */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((const char *)unit->scopes[middle].die.addr < (const char *)die->addr)
            low = middle + 1;
        else
            high = middle;
    }
    for (uint32_t at = low ? (uint32_t)low - 1 : NO_SCOPE; at != NO_SCOPE; at = unit->scopes[at].parent)
        if (is_inside(&unit->scopes[at], die->addr)) {
            *scope = unit->scopes[at].die;
            return true;
        }
    return false;
}

void lt_units_close(struct lt_units *units) {
    HASH_CLEAR(hh, units->by_cu);
    for (size_t i = 0; i < units->count; i++)
        free_unit(units->list[i]);
    free(units->list);
    lt_ranges_free(&units->ranges);
    *units = (struct lt_units){0};
}
