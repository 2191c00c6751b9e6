/* SPDX-License-Identifier: MIT */
/*
 * What areas above do for those below: functions that main.c passes in at start, since an area
 * calls down only. Opened by net/ and http/, which call them, and by router/, which has them. It
 * never holds state.
 */
#ifndef PX_CORE_HOOKS_H
#define PX_CORE_HOOKS_H

struct px_peer;

struct px_hooks {
	/* A connection: its requests are read. 0: it has taken both over; -errno. */
	int (*begin)(struct px_peer *peer, int fd);

	/* The libwebsockets connection that answered for peer->frontend is gone. */
	void (*released)(struct px_peer *peer);

	/* The peer is about to be freed: what the areas above keep of it ends. */
	void (*drop)(struct px_peer *peer);

	/* Which methods a path takes, as Allow has them. */
	const char *(*allow)(const char *path);
};

#endif
