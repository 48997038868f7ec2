/* How long the symbolizer takes, and how long others do for the same addresses:
 *
 *   tests/bench/bench_symbolize_sample.sh build/sample
 *   build/release/tests/bench/bench_symbolize build/sample/sample [ADDRESSES]
 *
 * ADDRESSES (20000) distinct ones, spread evenly over all code of the file, so that every compilation unit is decoded;
 * asked for in random order, all at once. Elapsed and processor time; on a busy machine only the second one says
 * something. */
#include "report/symbolize.h"
#include "unit/symbolize/shop.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { ROUNDS = 5 };

struct cost {
    double elapsed, processor; /* seconds */
};

static double seconds_of(struct timeval time) {
    return (double)time.tv_sec + (double)time.tv_usec * 1e-6;
}

/* The clocks now: those of this process, or of the children it has waited for. */
static struct cost read_clocks(int who) {
    struct timespec time;
    struct rusage usage;
    clock_gettime(CLOCK_MONOTONIC, &time);
    getrusage(who, &usage);
    return (struct cost){.elapsed = (double)time.tv_sec + (double)time.tv_nsec * 1e-9,
                         .processor = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime)};
}

static struct cost cost_since(struct cost start, int who) {
    struct cost end = read_clocks(who);
    return (struct cost){.elapsed = end.elapsed - start.elapsed, .processor = end.processor - start.processor};
}

static void shuffle(uint64_t *addresses, size_t count) {
    srand(1);
    for (size_t i = count; i > 1; i--) {
        size_t other = (size_t)rand() % i;
        uint64_t kept = addresses[i - 1];
        addresses[i - 1] = addresses[other];
        addresses[other] = kept;
    }
}

/* One resolve of everything by a fresh symbolizer; counts the lines in *lines. */
static struct cost time_symbolizer(const struct lt_dump_module *module, const uint64_t *addresses, size_t count,
                                   size_t *lines) {
    struct lt_symbol_query *queries = calloc(count, sizeof *queries);
    if (!queries)
        exit(1);
    for (size_t i = 0; i < count; i++)
        queries[i] = (struct lt_symbol_query){.module = module, .offset = addresses[i] + 1};
    struct cost start = read_clocks(RUSAGE_SELF);
    struct lt_symbolizer *symbolizer = lt_symbolizer_new(&(struct lt_symbolizer_options){0});
    if (!symbolizer || lt_symbolizer_resolve(symbolizer, queries, count) != 0)
        exit(1);
    struct cost cost = cost_since(start, RUSAGE_SELF);
    *lines = 0;
    for (size_t i = 0; i < count; i++)
        *lines += queries[i].line_count;
    lt_symbolizer_free(symbolizer);
    free(queries);
    return cost;
}

static void print_cost(const char *name, struct cost cost) {
    printf("%-16s %6.2f s elapsed, %6.2f s of processor", name, cost.elapsed, cost.processor);
}

static void time_command(const char *program, const char *options, const char *path, const char *addresses) {
    char command[2048];
    if (!shop_has(program)) {
        printf("%-16s not installed\n", program);
        return;
    }
    snprintf(command, sizeof command, "%s %s -e '%s' <'%s' >/dev/null", program, options, path, addresses);
    struct cost start = read_clocks(RUSAGE_CHILDREN);
    int status = system(command);
    print_cost(program, cost_since(start, RUSAGE_CHILDREN));
    printf("%s\n", status == 0 ? "" : " (failed)");
}

static void write_addresses(const char *path, const uint64_t *addresses, size_t count) {
    FILE *file = fopen(path, "w");
    if (!file)
        exit(1);
    for (size_t i = 0; i < count; i++)
        fprintf(file, "0x%" PRIx64 "\n", addresses[i]);
    fclose(file);
}

/* The quickest of a few rounds. */
static void print_ours(const struct lt_dump_module *module, const uint64_t *addresses, size_t count) {
    struct cost best = {.processor = 1e9};
    size_t lines = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct cost cost = time_symbolizer(module, addresses, count, &lines);
        if (cost.processor < best.processor)
            best = cost;
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    print_cost("leaktrack", best);
    printf(", %.1f us an address, %zu lines, %ld MB resident\n", best.processor * 1e6 / (double)count, lines,
           usage.ru_maxrss / 1024);
}

int main(int argument_count, char **arguments) {
    if (argument_count < 2) {
        fprintf(stderr, "bench_symbolize: usage: bench_symbolize FILE [ADDRESSES]\n");
        return 2;
    }
    size_t wanted = argument_count > 2 ? (size_t)strtoul(arguments[2], NULL, 10) : 20000;
    uint64_t *addresses = calloc(wanted, sizeof *addresses);
    void *state = NULL;
    if (!addresses || shop_open(&state) != 0)
        return 1;
    struct lt_dump_module module = shop_module(arguments[1]);
    size_t count = shop_code_addresses(arguments[1], addresses, wanted);
    shuffle(addresses, count);
    write_addresses(shop_path("addresses"), addresses, count);
    printf("%s: %.1f MB, %zu distinct addresses\n", arguments[1], (double)module.size / 1e6, count);
    print_ours(&module, addresses, count);
    time_command("addr2line", "-afiC", arguments[1], shop_path("addresses"));
    time_command("llvm-symbolizer", "--output-style=GNU -afi", arguments[1], shop_path("addresses"));
    free(addresses);
    return shop_close(&state);
}
