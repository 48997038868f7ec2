/* The chain of inlined calls is found by walking down from the function to the entries that hold the address; libdw's
 * dwarf_getscopes walks the whole unit for each address, twice where code is inlined. The line table knows the
 * innermost line; each outer line is where the entry below it says it was called from. */
#include "report/symbolize_lines.h"

#include "report/symbolize_walk.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

enum { SCOPES_MAX = 32, SCOPED_NAME_MAX = 4096 };

struct place {
    const char *file;
    unsigned line, column;
};

static const char *string_attribute(Dwarf_Die *die, unsigned name) {
    Dwarf_Attribute attribute;
    return dwarf_formstring(dwarf_attr_integrate(die, name, &attribute));
}

static unsigned number_attribute(Dwarf_Die *die, unsigned name) {
    Dwarf_Attribute attribute;
    Dwarf_Word value = 0;
    if (dwarf_formudata(dwarf_attr(die, name, &attribute), &value) != 0 || value > UINT32_MAX)
        return 0;
    return (unsigned)value;
}

static const char *linkage_name(Dwarf_Die *die) {
    const char *name = string_attribute(die, DW_AT_linkage_name);
    return name ? name : string_attribute(die, DW_AT_MIPS_linkage_name);
}

/* The entry that stands where the function was declared: only there do the enclosing entries tell its scope. */
static Dwarf_Die declaration_of(const Dwarf_Die *die) {
    Dwarf_Die declaration = *die, target;
    Dwarf_Attribute attribute;
    for (int i = 0; i < SCOPES_MAX; i++) {
        Dwarf_Attribute *reference = dwarf_attr(&declaration, DW_AT_abstract_origin, &attribute);
        if (!reference)
            reference = dwarf_attr(&declaration, DW_AT_specification, &attribute);
        if (!dwarf_formref_die(reference, &target))
            break;
        declaration = target;
    }
    return declaration;
}

/* `inner` is the name inside that scope. Compilers give the class of a lambda no name. */
static const char *scope_word(Dwarf_Die *scope, const char *inner) {
    const char *name = string_attribute(scope, DW_AT_name);
    if (name)
        return name;
    if (dwarf_tag(scope) == DW_TAG_namespace)
        return "(anonymous namespace)";
    return strcmp(inner, "operator()") == 0 ? "{lambda}" : "(anonymous)";
}

/* C has no scopes, and what a nested function is called there is its name alone. */
static bool has_scoped_names(Dwarf_Die *die) {
    Dwarf_Die unit;
    if (!dwarf_diecu(die, &unit, NULL, NULL))
        return false;
    switch (dwarf_srclang(&unit)) {
    case DW_LANG_C:
    case DW_LANG_C89:
    case DW_LANG_C99:
    case DW_LANG_C11:
    case DW_LANG_Mips_Assembler:
    case DW_LANG_Go:
        return false;
    default:
        return true;
    }
}

/* Writes "scope::" in front of *at, which moves down; false where the buffer is full. */
static bool prepend(char *buffer, char **at, const char *word) {
    size_t length = strnlen(word, SCOPED_NAME_MAX);
    if ((size_t)(*at - buffer) < length + 2)
        return false;
    *at -= 2;
    memcpy(*at, "::", 2);
    *at -= length;
    memcpy(*at, word, length);
    return true;
}

static const char *scoped_name(const struct lt_line_source *source, Dwarf_Die *die) {
    const char *name = string_attribute(die, DW_AT_name);
    if (!name || !has_scoped_names(die))
        return lt_symbol_names_keep(source->names, name);
    char buffer[SCOPED_NAME_MAX];
    size_t length = strnlen(name, sizeof buffer - 1);
    char *at = buffer + sizeof buffer - 1 - length;
    memcpy(at, name, length);
    buffer[sizeof buffer - 1] = '\0';
    Dwarf_Die declaration = declaration_of(die), scope;
    for (int i = 0; i < SCOPES_MAX && lt_units_scope(source->units, &declaration, &scope); i++) {
        if (!prepend(buffer, &at, scope_word(&scope, at)))
            break;
        declaration = declaration_of(&scope);
    }
    return lt_symbol_names_keep(source->names, at);
}

static const char *inlined_name(const struct lt_line_source *source, Dwarf_Die *die) {
    const char *symbol = linkage_name(die);
    return symbol ? lt_symbol_names_keep_symbol(source->names, symbol) : scoped_name(source, die);
}

/* Keeps the part of `text` in front of `end`, which is NULL or points into it. */
static const char *keep_front(const struct lt_line_source *source, const char *text, const char *end) {
    char *front = end ? strndup(text, (size_t)(end - text)) : NULL;
    const char *kept = lt_symbol_names_keep_symbol(source->names, front ? front : text);
    free(front);
    return kept;
}

/* "memcpy@@GLIBC_2.14": the version is the linker's affair. */
static const char *symbol_name(const struct lt_line_source *source, const struct lt_symtab_entry *symbol) {
    return keep_front(source, symbol->name, strchr(symbol->name + 1, '@'));
}

/* What DWARF knows is called by its own name, whichever clone of it this is. */
static const char *original_name(const struct lt_line_source *source, const struct lt_symtab_entry *symbol) {
    const char *name = symbol_name(source, symbol);
    const char *clone = name ? strstr(name, " [clone ") : NULL;
    return clone ? keep_front(source, name, clone) : name;
}

static bool is_mangled(const char *symbol) {
    return symbol[0] == '_' && (symbol[1] == 'Z' || symbol[1] == 'R' || symbol[1] == 'D');
}

/* Where the function begins; of one in several parts, the first part. */
static bool find_entry(Dwarf_Die *die, Dwarf_Addr *entry) {
    Dwarf_Addr base, end;
    return dwarf_entrypc(die, entry) == 0 || dwarf_ranges(die, 0, &base, entry, &end) > 0;
}

/* GCC gives local classes and unnamed namespaces no linkage name; the symbol at the function's entry has it. */
static const char *function_name(const struct lt_line_source *source, Dwarf_Die *die) {
    Dwarf_Addr entry;
    if (!linkage_name(die) && source->symtab && find_entry(die, &entry)) {
        uint64_t vaddr = entry - source->units->delta;
        const struct lt_symtab_entry *symbol = lt_symtab_find(source->symtab, vaddr);
        if (symbol && symbol->start == vaddr && is_mangled(symbol->name))
            return original_name(source, symbol);
    }
    return inlined_name(source, die);
}

static const char *keep_file(const struct lt_line_source *source, const char *file) {
    return file && strcmp(file, "???") != 0 ? lt_symbol_names_keep(source->names, file) : NULL;
}

/* Where the line table says `address` comes from. */
static struct place place_of_address(const struct lt_line_source *source, struct lt_unit *unit, Dwarf_Addr address) {
    struct place place = {0};
    Dwarf_Line *line = dwarf_getsrc_die(lt_unit_line_die(unit), address);
    int number = 0, column = 0;
    if (!line)
        return place;
    place.file = keep_file(source, dwarf_linesrc(line, NULL, NULL));
    if (dwarf_lineno(line, &number) == 0 && number > 0)
        place.line = (unsigned)number;
    if (place.line && dwarf_linecol(line, &column) == 0 && column > 0)
        place.column = (unsigned)column;
    return place;
}

/* Where the inlined function `die` was called from. */
static struct place place_of_call(const struct lt_line_source *source, struct lt_unit *unit, Dwarf_Die *die) {
    struct place place = {.line = number_attribute(die, DW_AT_call_line)};
    place.column = place.line ? number_attribute(die, DW_AT_call_column) : 0;
    Dwarf_Files *files;
    size_t count, index = number_attribute(die, DW_AT_call_file);
    if (dwarf_hasattr(die, DW_AT_call_file) && dwarf_getsrcfiles(lt_unit_code_die(unit), &files, &count) == 0 &&
        index < count)
        place.file = keep_file(source, dwarf_filesrc(files, index, NULL, NULL));
    return place;
}

/* Inside a function: entries that code can be nested in without being a call. */
static bool is_block(int tag) {
    return tag == DW_TAG_lexical_block || tag == DW_TAG_try_block || tag == DW_TAG_catch_block;
}

/* chain[0] is the function, chain[result - 1] the innermost inlined one. */
static size_t inline_chain(const Dwarf_Die *function, Dwarf_Addr address, Dwarf_Die chain[LT_LINES_MAX]) {
    struct lt_die_walk walk;
    size_t length = 0;
    chain[length++] = *function;
    lt_die_walk_start(&walk, function);
    bool into = true;
    for (Dwarf_Die *die; (die = lt_die_walk_next(&walk, into)) != NULL;) {
        int tag = dwarf_tag(die);
        into = is_block(tag);
        if (tag != DW_TAG_inlined_subroutine || length == LT_LINES_MAX || dwarf_haspc(die, address) <= 0)
            continue;
        chain[length++] = *die;
        lt_die_walk_start(&walk, &chain[length - 1]);
        into = true;
    }
    return length;
}

static void set_line(struct lt_symbol_line *line, const char *function, struct place place, bool inlined) {
    *line = (struct lt_symbol_line){
        .function = function, .file = place.file, .line = place.line, .column = place.column, .inlined = inlined};
}

static size_t lines_of_function(const struct lt_line_source *source, struct lt_unit *unit, const Dwarf_Die *function,
                                Dwarf_Addr address, struct lt_symbol_line *lines) {
    Dwarf_Die chain[LT_LINES_MAX];
    size_t count = inline_chain(function, address, chain);
    struct place place = place_of_address(source, unit, address);
    for (size_t i = 0; i + 1 < count; i++) {
        Dwarf_Die *die = &chain[count - 1 - i];
        set_line(&lines[i], inlined_name(source, die), place, true);
        place = place_of_call(source, unit, die);
    }
    set_line(&lines[count - 1], function_name(source, &chain[0]), place, false);
    return count;
}

/* Where one Go function is inlined twice into another, Go's DWARF (seen with 1.19) gives both calls the line of one of
 * them. Go's own table, which its runtime prints from, is right. */
static void correct_go_lines(const struct lt_line_source *source, uint64_t vaddr, struct lt_symbol_line *lines,
                             size_t count) {
    struct lt_symbol_line go[LT_LINES_MAX];
    if (count < 2 || lt_go_table_lines(source->go, source->names, vaddr, go, LT_LINES_MAX) != count)
        return;
    for (size_t i = 1; i < count; i++)
        if (go[i].line != lines[i].line) {
            lines[i].line = go[i].line;
            lines[i].column = 0;
        }
}

size_t lt_lines_find(const struct lt_line_source *source, uint64_t vaddr, struct lt_symbol_line lines[LT_LINES_MAX]) {
    struct lt_unit *unit = source->units ? lt_units_find(source->units, vaddr) : NULL;
    const Dwarf_Die *function = unit ? lt_unit_function(unit, vaddr) : NULL;
    if (function) {
        const size_t count = lines_of_function(source, unit, function, vaddr + source->units->delta, lines);
        correct_go_lines(source, vaddr, lines, count);
        return count;
    }
    const size_t go_lines = lt_go_table_lines(source->go, source->names, vaddr, lines, LT_LINES_MAX);
    if (go_lines)
        return go_lines;
    const struct lt_symtab_entry *symbol = source->symtab ? lt_symtab_find(source->symtab, vaddr) : NULL;
    struct place place = {0};
    if (unit)
        place = place_of_address(source, unit, vaddr + source->units->delta);
    if (!symbol && !place.file)
        return 0;
    set_line(&lines[0], symbol ? symbol_name(source, symbol) : NULL, place, false);
    return 1;
}
