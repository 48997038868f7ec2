/* Go's code has no unwind information but keeps frame pointers, and a call from Go to C runs on another stack than the
 * goroutine's. runtime.asmcgocall, which makes that switch, is the outermost frame that a walk finds on the C side; its
 * rule leads over to the goroutine.
 *
 * What asmcgocall leaves at its own stack pointer on the C side tells where the goroutine's stack is: a pointer to g,
 * the goroutine's descriptor, whose first two words are its stack's bounds; and the depth, how far its stack pointer
 * lies below the upper bound (not that pointer itself, since a stack can be moved). Where the two are differs between
 * versions: the code behind the call says it. At the goroutine's stack pointer lies, up to Go 1.20, the return address
 * into runtime.cgocall; since 1.21 asmcgocall's own frame, the saved frame pointer first.
 *
 * Sources: runtime/asm_amd64.s (asmcgocall) of Go 1.19 and of 2024, runtime/runtime2.go (type g, type stack). */
#ifndef LT_UNWIND_GO_SWITCH_H
#define LT_UNWIND_GO_SWITCH_H

#include "unwind/modules.h"
#include "unwind/walk.h"

#include <stdbool.h>
#include <stdint.h>

/* The rule of a return address into asmcgocall; false for any other code. `module` holds it, and is a Go one. */
bool lt_go_switch_compile(const struct lt_module *module, uintptr_t ip, struct lt_rule *rule);

/* The step by that rule. w->range is the goroutine's stack then. */
enum lt_step lt_go_switch_step(struct lt_walk *w, struct lt_rule rule, struct lt_unwind_state *state);

#endif
