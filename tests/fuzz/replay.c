/* Stands in for libFuzzer where it is not built in: gives every file of a folder to the target, whole and cut at every
 * byte, in memory that ends where the input ends. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_ROOM = 1 << 16 };

static void give(const uint8_t *input, size_t size) {
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        abort();
    memcpy(copy, input, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void replay(const char *folder, const char *name) {
    static uint8_t input[INPUT_ROOM];
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        exit(1);
    }
    const size_t size = fread(input, 1, sizeof input, file);
    fclose(file);
    for (size_t cut = 0; cut <= size; cut++)
        give(input, cut);
}

int main(int argc, char **argv) {
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    unsigned count = 0;
    if (!folder) {
        fprintf(stderr, "usage: %s SEEDS\n", argv[0]);
        return 2;
    }
    for (const struct dirent *entry; (entry = readdir(folder));)
        if (entry->d_name[0] != '.') {
            replay(argv[1], entry->d_name);
            count++;
        }
    closedir(folder);
    printf("replayed %u seeds and all their cuts\n", count);
    return count ? 0 : 1;
}
