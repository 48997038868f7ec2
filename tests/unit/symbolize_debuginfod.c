/* Debug information from a debuginfod server: a web server on the loopback, started here and ended by its process id.
 * libdw looks for DEBUGINFOD_URLS when it is loaded, so the program sets it and starts itself again. */
#include "unit/symbolize/asked.h"
#include "unit/symbolize/judge.h"
#include "unit/symbolize/shop.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { ADDRESSES_MAX = 1000 };

static const char PORT_VARIABLE[] = "LT_TEST_DEBUGINFOD_PORT";
static pid_t server;

static struct sockaddr_in loopback(unsigned port) {
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static unsigned free_port(void) {
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool found = fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0 &&
                 getsockname(fd, (struct sockaddr *)&address, &size) == 0;
    if (fd >= 0)
        close(fd);
    return found ? ntohs(address.sin_port) : 0;
}

static bool answers(unsigned port) {
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    if (fd >= 0)
        close(fd);
    return connected;
}

/* The server is its own process group: python3 may be a wrapper that starts another. */
static bool start_server(void) {
    const char *port = getenv(PORT_VARIABLE);
    if (!port)
        return false;
    unsigned number = (unsigned)strtoul(port, NULL, 10);
    server = fork();
    if (server == 0) {
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGTERM); /* kept by exec: a killed test leaves no server */
        int log = open(shop_path("requests"), O_WRONLY | O_CREAT | O_APPEND, 0600);
        dup2(log, STDOUT_FILENO);
        dup2(log, STDERR_FILENO);
        execlp("python3", "python3", "-m", "http.server", port, "--bind", "127.0.0.1", "--directory", shop_path("web"),
               (char *)NULL);
        _exit(127);
    }
    for (int tries = 0; tries < 300; tries++) {
        if (answers(number))
            return true;
        usleep(50000);
    }
    return false;
}

static void stop_server(void) {
    if (server <= 0)
        return;
    kill(-server, SIGTERM);
    waitpid(server, NULL, 0);
    server = 0;
}

static int open_shop(void **state) {
    if (shop_open(state) != 0)
        return -1;
    shop_run("g++ -g -O2 -o full $S/scopes.cc && cp full stripped && strip stripped && "
             "objcopy --only-keep-debug full full.debug && id=$(readelf -n full | sed -n 's/.*Build ID: //p') && "
             "mkdir -p web/buildid/$id && cp full.debug web/buildid/$id/debuginfo");
    return start_server() ? 0 : -1;
}

static int close_shop(void **state) {
    stop_server();
    return shop_close(state);
}

static size_t request_count(void) {
    FILE *log = fopen(shop_path("requests"), "r");
    char line[1024];
    size_t count = 0;
    while (log && fgets(line, sizeof line, log))
        count += strstr(line, "GET /buildid/") != NULL;
    if (log)
        fclose(log);
    return count;
}

/* An empty cache, so that what comes must come from the server. */
static void fresh_cache(const char *name) {
    shop_run("rm -rf %s && mkdir %s", name, name);
    setenv("DEBUGINFOD_CACHE_PATH", shop_path(name), 1);
}

static void remember_fetched(void *user, const struct lt_symbolizer_progress *progress) {
    uint64_t *most = user;
    if (progress->fetched_bytes > *most)
        *most = progress->fetched_bytes;
}

static void compare_with_full(const struct lt_dump_module *module, const struct lt_symbolizer_options *options) {
    uint64_t addresses[ADDRESSES_MAX];
    enum judge_kind kind = judge_is_here(JUDGE_LLVM) ? JUDGE_LLVM : JUDGE_ADDR2LINE;
    size_t count = shop_code_addresses(shop_path("full"), addresses, ADDRESSES_MAX), before = request_count();
    assert_true(judge_frames(kind, shop_path("full"), module, options, addresses, count) > count);
    assert_true(request_count() > before);
}

static void the_debug_file_of_a_stripped_program(void **state) {
    (void)state;
    fresh_cache("cache");
    uint64_t fetched = 0;
    struct lt_dump_module module = shop_module(shop_path("stripped"));
    compare_with_full(&module, &(struct lt_symbolizer_options){.progress = remember_fetched, .user = &fetched});
    print_message("progress told of %llu bytes\n", (unsigned long long)fetched);
    assert_true(fetched > 0);
}

static void the_debug_file_of_a_program_that_is_gone(void **state) {
    (void)state;
    fresh_cache("cache");
    struct lt_dump_module module = shop_module(shop_path("stripped"));
    module.path = "/nonexistent/program";
    compare_with_full(&module, NULL);
}

static void what_the_server_lacks_is_missing(void **state) {
    (void)state;
    fresh_cache("cache");
    static const uint8_t unknown_id[20] = {0xde, 0xad};
    struct lt_dump_module module = {
        .path = "/nonexistent/other", .build_id = unknown_id, .build_id_size = sizeof unknown_id};
    assert_refused(&module, NULL, "file not found", LT_SYMBOLS_NO_FILE);
}

/* Last: no_debuginfod takes DEBUGINFOD_URLS out of the environment. */
static void no_debuginfod_asks_nobody(void **state) {
    (void)state;
    fresh_cache("cache");
    size_t before = request_count();
    struct lt_dump_module module = shop_module(shop_path("stripped"));
    struct asked asked;
    ask(&asked, &module, shop_function(shop_path("full"), "plain"),
        &(struct lt_symbolizer_options){.no_debuginfod = true});
    assert_null(asked.lines[0].function);
    assert_int_equal(asked.source, LT_SYMBOLS_NONE);
    assert_int_equal(request_count(), before);
    asked_free(&asked);
}

static bool can_run(void) {
    void *library = dlopen("libdebuginfod.so.1", RTLD_LAZY);
    if (library)
        dlclose(library);
    else
        print_message("skipped: libdebuginfod.so.1 is not installed\n");
    return shop_can_run("python3 g++ objcopy strip") && library;
}

static int start_again(char **arguments) {
    char port[16], urls[64];
    snprintf(port, sizeof port, "%u", free_port());
    snprintf(urls, sizeof urls, "http://127.0.0.1:%s", port);
    setenv(PORT_VARIABLE, port, 1);
    setenv("DEBUGINFOD_URLS", urls, 1);
    unsetenv("DEBUGINFOD_PROGRESS");
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    execv("/proc/self/exe", arguments);
    return 1;
}

int main(int count, char **arguments) {
    (void)count;
    if (!can_run())
        return 77;
    if (!getenv(PORT_VARIABLE))
        return start_again(arguments);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_debug_file_of_a_stripped_program),
        cmocka_unit_test(the_debug_file_of_a_program_that_is_gone),
        cmocka_unit_test(what_the_server_lacks_is_missing),
        cmocka_unit_test(no_debuginfod_asks_nobody),
    };
    return cmocka_run_group_tests(tests, open_shop, close_shop);
}
