// Code without unwind information, and with anything in its frame pointer, runs on a stack of malloc's; libc unmaps
// that by itself when it is freed; and then the code runs on a smaller stack in the same place, of which the frame
// pointer is not part.
// truncated: yes
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { LARGE = 4 << 20, SMALL = 64 * 1024 };

static void *volatile sink;

static void leak(void) {
    sink = malloc(16); // LEAK count=3 bytes=48
}

// enter(stack pointer, function, frame pointer)
static const unsigned char code[] = {
    0x55, 0x53,       // push %rbp; push %rbx
    0x48, 0x89, 0xe3, // mov %rsp, %rbx
    0x48, 0x89, 0xfc, // mov %rdi, %rsp
    0x48, 0x89, 0xd5, // mov %rdx, %rbp
    0xff, 0xd6,       // call *%rsi
    0x48, 0x89, 0xdc, // mov %rbx, %rsp
    0x5b, 0x5d, 0xc3, // pop %rbx; pop %rbp; ret
};

static char *map(void *where, size_t size, int protection) {
    char *at = mmap(where, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | (where ? MAP_FIXED_NOREPLACE : 0), -1, 0);
    if (at == MAP_FAILED || (where && at != where))
        exit(99);
    return at;
}

int main(void) {
    char *compiled = map(NULL, sizeof code, PROT_READ | PROT_WRITE | PROT_EXEC);
    void (*enter)(void *, void (*)(void), void *) = (void (*)(void *, void (*)(void), void *))(uintptr_t)compiled;
    memcpy(compiled, code, sizeof code);
    mallopt(M_MMAP_THRESHOLD, SMALL);
    char *stack = malloc(LARGE), *start = (char *)((uintptr_t)stack & ~(uintptr_t)4095);
    enter(start + LARGE - SMALL, leak, start + LARGE - SMALL);
    enter(start + SMALL, leak, start + SMALL);
    free(stack);
    map(start, SMALL, PROT_READ | PROT_WRITE);
    enter(start + SMALL, leak, start + LARGE - SMALL);
    munmap(start, SMALL);
    munmap(compiled, sizeof code);
    return 0;
}
