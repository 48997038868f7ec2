// strdup, asprintf, getline and friends allocate inside libc: the stack must go through libc to this line.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *volatile kept;

static void from_strdup(void) {
    kept = strdup("123456789"); // LEAK count=1 bytes=10
}

static void from_strndup(void) {
    kept = strndup("123456789", 4); // LEAK count=1 bytes=5
}

static void from_getline(void) {
    char *line = NULL;
    size_t room = 0;
    FILE *stream = fmemopen((char[]){"one\ntwo\n"}, 8, "r");
    if (getline(&line, &room, stream) < 0) // LEAK count=1 bytes=120
        abort();
    fclose(stream);
    kept = line;
}

static void balanced_asprintf(void) {
    char *text;
    if (asprintf(&text, "%d bottles", 99) < 0)
        abort();
    free(text);
}

int main(void) {
    from_strdup();
    from_strndup();
    from_getline();
    balanced_asprintf();
    return 0;
}
