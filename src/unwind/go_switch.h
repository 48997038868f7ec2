/* Go's code has no unwind information but keeps frame pointers, and C runs on another stack than the goroutine that
 * calls it. Two functions of its runtime switch between the two.
 *
 * runtime.asmcgocall, from the goroutine to C (rule GO_SWITCH): on a walk it is the outermost frame on the C side. What
 * it leaves at its own stack pointer there tells where the goroutine's stack is: a pointer to g, the goroutine's
 * descriptor, whose first two words are its stack's bounds; and the depth, how far its stack pointer lies below the
 * upper bound (not that pointer itself, since a stack can be moved). Where the two are differs between versions: the
 * code behind the call says it. At the goroutine's stack pointer lies, up to Go 1.20, the return address into
 * runtime.cgocall; since 1.21 asmcgocall's own frame, the saved frame pointer first.
 *
 * runtime.cgocallback, from C to the goroutine (rule GO_BACK): its frame on the goroutine's stack is a copy; the one
 * that C called, through crosscall2, lies where the C side's stack ended when asmcgocall last went there.
 *
 * Where no C compiler takes part in linking (programs whose only packages with C in them are net, os/user and
 * runtime/cgo; -linkmode=internal), Go's linker drops the unwind information of the C code (flag GO_LINKED). Then
 * asmcgocall's frame is looked for among the words above the stack pointer; C functions between are left out.
 *
 * Sources: runtime/asm_amd64.s (asmcgocall, cgocallback), runtime/cgo/asm_amd64.s (crosscall2), runtime/runtime2.go
 * (type g, type stack) of Go 1.19 and of 2024. */
#ifndef LT_UNWIND_GO_SWITCH_H
#define LT_UNWIND_GO_SWITCH_H

#include "unwind/modules.h"
#include "unwind/walk.h"

#include <stdbool.h>
#include <stdint.h>

/* The rule of a return address into one of the two, or into code that Go's linker linked; false for any other code.
 * `module` holds it, is a Go one, and has no unwind information for it. */
bool lt_go_compile(const struct lt_module *module, uintptr_t ip, struct lt_rule *rule);

/* From C code that Go's linker linked to runtime.asmcgocall's frame. False, and nothing has happened, where there is
 * none near: it is no such code. */
bool lt_go_find_switch(struct lt_walk *w, struct lt_unwind_state *state);

/* The steps by these rules. w->range is the other stack then. */
enum lt_step lt_go_switch_step(struct lt_walk *w, struct lt_rule rule, struct lt_unwind_state *state);
enum lt_step lt_go_back_step(struct lt_walk *w, struct lt_rule rule, struct lt_unwind_state *state);

#endif
