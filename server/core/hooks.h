/* SPDX-License-Identifier: MIT */
/*
 * What higher areas do for lower ones: functions that main.c passes in at start, since an area
 * calls down only. Opened by net/ and http/, which call them, and by router/, which implements
 * them. It never holds state.
 */
#ifndef PX_CORE_HOOKS_H
#define PX_CORE_HOOKS_H

struct px_peer;

struct px_hooks {
	/* A connection: its requests are read. 0: it has taken both over; -errno. */
	int (*begin)(struct px_peer *peer, int fd);

	/* The libwebsockets connection that answered for peer->frontend is gone. */
	void (*released)(struct px_peer *peer);

	/* The connection is about to be freed: higher areas release what they keep for it. */
	void (*drop)(struct px_peer *peer);

	/* The methods of a path, for Allow. */
	const char *(*allow)(const char *path);
};

#endif
