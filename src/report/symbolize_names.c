/* Two hash tables: texts by themselves, and readable texts by the mangled name they came from. A function
 * appears in many stacks, and demangling its name costs far more than looking it up. */
#include "report/symbolize_names.h"

#include "report/demangle.h"

#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct lt_symbol_name {
    UT_hash_handle hh;
    const char *readable; /* of a mangled name: where its text is kept */
    char text[];
};

static struct lt_symbol_name *find_name(struct lt_symbol_name *table, const char *text, size_t length) {
    struct lt_symbol_name *name;
    HASH_FIND(hh, table, text, length, name);
    return name;
}

static struct lt_symbol_name *add_name(struct lt_symbol_names *names, struct lt_symbol_name **table, const char *text,
                                       size_t length) {
    struct lt_symbol_name *name = malloc(sizeof *name + length + 1);
    if (name) {
        memcpy(name->text, text, length);
        name->text[length] = '\0';
        name->readable = NULL;
        HASH_ADD_KEYPTR(hh, *table, name->text, length, name);
        if (name->hh.tbl)
            return name;
        free(name);
    }
    names->out_of_memory = true;
    return NULL;
}

const char *lt_symbol_names_keep(struct lt_symbol_names *names, const char *text) {
    size_t length = text ? strnlen(text, LT_NAME_MAX) : 0;
    if (!length)
        return NULL;
    struct lt_symbol_name *name = find_name(names->texts, text, length);
    if (!name)
        name = add_name(names, &names->texts, text, length);
    return name ? name->text : NULL;
}

const char *lt_symbol_names_keep_symbol(struct lt_symbol_names *names, const char *symbol) {
    size_t length = symbol ? strnlen(symbol, LT_NAME_MAX) : 0;
    if (!length || symbol[0] != '_')
        return lt_symbol_names_keep(names, symbol);
    struct lt_symbol_name *known = find_name(names->mangled, symbol, length);
    if (known)
        return known->readable;
    char *demangled = lt_demangle(symbol);
    const char *readable = lt_symbol_names_keep(names, demangled ? demangled : symbol);
    free(demangled);
    known = add_name(names, &names->mangled, symbol, length);
    if (known)
        known->readable = readable;
    return readable;
}

static void free_table(struct lt_symbol_name **table) {
    struct lt_symbol_name *name = *table, *next;
    HASH_CLEAR(hh, *table); /* the table; its elements keep their links */
    for (; name; name = next) {
        next = name->hh.next;
        free(name);
    }
}

void lt_symbol_names_free(struct lt_symbol_names *names) {
    free_table(&names->texts);
    free_table(&names->mangled);
}
