/* A small program with two classic leaks, for tools/quickstart: an answer that nobody frees, and a cache that only
 * grows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    struct entry *next;
    char *key;
};

static struct entry *cache;

static void remember(const char *key) {
    struct entry *entry = malloc(sizeof *entry);
    if (!entry)
        return;
    entry->key = strdup(key);
    entry->next = cache;
    cache = entry;
}

static char *make_answer(int number) {
    char *answer = malloc(64);
    if (answer)
        snprintf(answer, 64, "answer to request %d", number);
    return answer;
}

static void handle_request(int number) {
    char key[32];
    snprintf(key, sizeof key, "request-%d", number);
    if (number % 10 == 0)
        remember(key);
    char *answer = make_answer(number);
    if (number % 3 != 0)
        free(answer); /* and the third? */
}

int main(void) {
    for (int number = 1; number <= 3000; number++)
        handle_request(number);
    puts("3000 requests handled");
    return 0;
}
