#include "os/atomic16.h"

bool lt_load16_is_plain;

void lt_load16_init(void) {
    lt_load16_is_plain = lt_arch_load16_is_atomic();
}
