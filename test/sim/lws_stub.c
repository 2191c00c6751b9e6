/* SPDX-License-Identifier: MIT */
/*
 * Stands for libpraxis' adapter where services are compiled in without lws: their
 * descriptors point to its callback, and nobody calls it.
 */
#include <praxis/plugin.h>

#include <stdlib.h>

int px_lws_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
		size_t len)
{
	(void)wsi;
	(void)reason;
	(void)user;
	(void)in;
	(void)len;
	abort();
}
