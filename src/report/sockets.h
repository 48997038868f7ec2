/* Sockets by what they have in common: protocol, state and peer. Of a served port the peers come and go with ports of
 * their own, so there the peer's port does not count, and the own address does. */
#ifndef LT_REPORT_SOCKETS_H
#define LT_REPORT_SOCKETS_H

#include "report/model.h"

struct lt_socket_group {
    const char *protocol, *state, *peer, *local; /* of the first socket; never NULL */
    size_t peer_length;                          /* of `peer`, what all have in common; 0: nothing */
    size_t hosts;     /* of how many peers' hosts, where they have nothing in common; else 0 */
    bool is_served;   /* `local` is what all have in common, too */
    uint64_t oldest;  /* centiseconds, LT_NO_NUMBER where nobody knows */
    uint64_t waiting; /* bytes that nobody has read */
    const struct lt_dump_descriptor **sockets;
    size_t count;
};

/* The groups of the model's selected sockets, the largest first. *groups and all in it belong to the pool. */
size_t lt_socket_groups(const struct lt_model *, struct lt_pool *, struct lt_socket_group **groups);

/* How many sockets stand in which state, in the order of the words; a state that the kernel does not tell is "-". */
struct lt_socket_state {
    const char *state;
    uint64_t count;
};
size_t lt_socket_states(const struct lt_model *, struct lt_pool *, struct lt_socket_state **states);

#endif
