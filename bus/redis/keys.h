/* SPDX-License-Identifier: MIT */
/*
 * Names of keys and channels. Everything of one practice, and what its scripts publish to, has the
 * tag of its partition in braces, so that a cluster keeps it in one place:
 *
 *   px:{4f}:<tenant>/<practice>:m   its hash, see commit.lua; …:c :r :s :e :v tables, …:k channels
 *                                   that have a history, …:h:<channel> one, …:o outputs, …:d parts
 *   px:{4f}:homes:<node>            practices that the node is the home of
 *   px:{4f}:n:<node>                channel of outputs for the node
 *   px:{c}:nodes                    hash of the nodes that live
 *   px:{c}:ctl, px:{c}:n:<node>     channels: signs of life, and what one node tells another
 *
 * Tenants and practices are escaped as in URLs, so that none can be mistaken for another.
 */
#ifndef PX_REDIS_KEYS_H
#define PX_REDIS_KEYS_H

#include <praxis/host/bus.h>

#define PX_REDIS_PARTITIONS 256
#define PX_REDIS_PREFIX_MAX 32
#define PX_REDIS_NODE_LEN 16

/* A name that is put together, in memory that serves again until px_name_finish(). */
struct px_name {
	char *data;
	size_t len;
	size_t size;
	bool failed; /* no memory */
};

struct px_span px_name_text(const struct px_name *name);
void px_name_finish(struct px_name *name);

unsigned px_redis_partition(const struct px_bus_place *place);

/* "px:{4f}:" */
void px_name_shard(struct px_name *name, const char *prefix, unsigned partition);

/* "px:{4f}:homes:<node>", "px:{4f}:n:<node>" */
void px_name_homes(struct px_name *name, const char *prefix, unsigned partition, uint64_t node);
void px_name_outputs(struct px_name *name, const char *prefix, unsigned partition, uint64_t node);

/* "px:{4f}:<tenant>/<practice>:m" */
void px_name_meta(struct px_name *name, const char *prefix, const struct px_bus_place *place);

/* "<tenant>/<practice>" */
void px_name_member(struct px_name *name, const struct px_bus_place *place);

/*
 * The place of such a member, which is changed: the place points into it. False: it is none.
 */
bool px_name_place(char *member, size_t len, struct px_bus_place *ret_place);

/* "px:{c}:<what>", "px:{c}:n:<node>" */
void px_name_common(struct px_name *name, const char *prefix, const char *what);
void px_name_inbox(struct px_name *name, const char *prefix, uint64_t node);

/* Sixteen hexadecimal digits. */
void px_node_text(uint64_t node, char buf[PX_REDIS_NODE_LEN + 1]);
/* False: it is none, or 0. */
bool px_node_read(struct px_span text, uint64_t *ret_node);

#endif
