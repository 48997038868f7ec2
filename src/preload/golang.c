#include "preload/golang.h"

#include "unwind/modules.h"

#include <sys/auxv.h>

bool lt_golang_is_main_program(void) {
    const struct lt_module *program = lt_module_learn((uintptr_t)getauxval(AT_ENTRY));
    return program && program->is_go;
}
