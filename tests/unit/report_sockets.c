/* Sockets by state and peer. */
#include "report/sockets.h"
#include "report_fixture.h"

#define PROCESS                                                                                                        \
    "process exe=/usr/bin/app pid=4711 start=1700000000000000000\n"                                                    \
    "module app path=/usr/bin/app build-id=aa\nsnapshot time=1000\nsite socket app+0x1 live=1/0\n"

static struct fake_report r;
static struct lt_pool pool;
static struct lt_socket_group *groups;

static size_t groups_of(const char *rows) {
    char *description;
    assert_true(asprintf(&description, "%s%s", PROCESS, rows) > 0);
    r = (struct fake_report){0};
    fake_report_make(&r, description, NULL);
    free(description);
    return lt_socket_groups(&r.model, &pool, &groups);
}

static void done(void) {
    lt_pool_free(&pool);
    fake_report_free(&r);
}

static void assert_group(size_t i, size_t count, const char *state, const char *peer) {
    assert_int_equal(groups[i].count, count);
    assert_string_equal(groups[i].state, state);
    assert_int_equal(groups[i].peer_length, strlen(peer));
    assert_memory_equal(groups[i].peer, peer, strlen(peer));
}

static void a_client_by_the_peer_it_called(void **state) {
    (void)state;
    size_t count = groups_of("descriptor 3 socket protocol=tcp state=CLOSE_WAIT local=10.0.0.1:1 peer=10.0.0.5:443\n"
                             "descriptor 4 socket protocol=tcp state=CLOSE_WAIT local=10.0.0.1:2 peer=10.0.0.5:443\n"
                             "descriptor 5 socket protocol=tcp state=CLOSE_WAIT local=10.0.0.1:3 peer=10.0.0.5:5432\n"
                             "descriptor 6 socket protocol=tcp state=ESTABLISHED local=10.0.0.1:4 peer=10.0.0.5:443\n"
                             "descriptor 7 file target=/x state=CLOSE_WAIT\n");
    assert_int_equal(count, 3);
    assert_group(0, 2, "CLOSE_WAIT", "10.0.0.5:443");
    assert_group(1, 1, "CLOSE_WAIT", "10.0.0.5:5432");
    assert_group(2, 1, "ESTABLISHED", "10.0.0.5:443");
    assert_false(groups[0].is_served);
    done();
}

static void a_served_port_by_the_peers_host(void **state) {
    (void)state;
    size_t count = groups_of("descriptor 3 socket protocol=tcp6 state=LISTEN local=[::]:80\n"
                             "descriptor 4 socket protocol=tcp6 state=CLOSE_WAIT local=[::1]:80 peer=[::1]:40001\n"
                             "descriptor 5 socket protocol=tcp6 state=CLOSE_WAIT local=[::1]:80 peer=[::1]:40002\n"
                             "descriptor 6 socket protocol=tcp6 state=ESTABLISHED local=[::1]:80 peer=[::1]:40003\n"
                             "descriptor 7 socket protocol=tcp6 state=ESTABLISHED local=[::1]:99 peer=[::1]:40004\n");
    assert_int_equal(count, 4);
    assert_group(0, 2, "CLOSE_WAIT", "[::1]");
    assert_true(groups[0].is_served);
    assert_string_equal(groups[0].local, "[::1]:80");
    assert_group(1, 1, "LISTEN", "");
    assert_group(2, 1, "ESTABLISHED", "[::1]");
    assert_true(groups[2].is_served);
    assert_group(3, 1, "ESTABLISHED", "[::1]:40004");
    assert_false(groups[3].is_served);
    done();
}

/* No listener is needed: a worker process may have closed it. */
static void many_peers_of_a_served_port_are_one_group(void **state) {
    char rows[4096] = "";
    (void)state;
    for (int i = 0; i < 20; i++)
        snprintf(rows + strlen(rows), sizeof rows - strlen(rows),
                 "descriptor %d socket protocol=tcp state=CLOSE_WAIT local=10.0.0.1:80 peer=10.0.0.%d:4000\n", 3 + i,
                 100 + i / 2);
    assert_int_equal(groups_of(rows), 1);
    assert_group(0, 20, "CLOSE_WAIT", "");
    assert_true(groups[0].is_served);
    assert_int_equal(groups[0].hosts, 10);
    done();
}

static void paths_have_no_port(void **state) {
    (void)state;
    size_t count = groups_of("descriptor 3 socket protocol=unix local=/run/a:1 peer=/run/x:1\n"
                             "descriptor 4 socket protocol=unix local=/run/a:1 peer=/run/x:2\n"
                             "descriptor 5 socket protocol=unix peer=@abstract:3\n"
                             "descriptor 6 socket\n");
    assert_int_equal(count, 4);
    for (size_t i = 0; i < count; i++)
        assert_false(groups[i].is_served);
    done();
}

static void ages_and_bytes_sum_up(void **state) {
    (void)state;
    assert_int_equal(groups_of("descriptor 3 socket app+0x1 birth=900 state=LISTEN local=a:1 receive=3\n"
                               "descriptor 4 socket app+0x1 birth=100 state=LISTEN local=a:1 receive=4\n"
                               "descriptor 5 socket origin=inherited state=LISTEN local=a:1\n"),
                     1);
    assert_int_equal(groups[0].oldest, 900);
    assert_int_equal(groups[0].waiting, 7);
    assert_int_equal(groups[0].count, 3);
    done();
    assert_int_equal(groups_of(""), 0);
    done();
}

static void states_are_counted(void **state) {
    struct lt_socket_state *states;
    (void)state;
    groups_of("descriptor 3 socket state=LISTEN\ndescriptor 4 socket\ndescriptor 5 socket state=LISTEN\n"
              "descriptor 6 pipe state=LISTEN\n");
    assert_int_equal(lt_socket_states(&r.model, &pool, &states), 2);
    assert_string_equal(states[0].state, "-");
    assert_int_equal(states[0].count, 1);
    assert_string_equal(states[1].state, "LISTEN");
    assert_int_equal(states[1].count, 2);
    done();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_by_the_peer_it_called),
        cmocka_unit_test(a_served_port_by_the_peers_host),
        cmocka_unit_test(many_peers_of_a_served_port_are_one_group),
        cmocka_unit_test(paths_have_no_port),
        cmocka_unit_test(ages_and_bytes_sum_up),
        cmocka_unit_test(states_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
