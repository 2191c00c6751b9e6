/* SPDX-License-Identifier: MIT */
/*
 * What a broker leaves for the next, as text in memory: the lines of a state file without its
 * frame.
 */
#ifndef STATE_TEXT_H
#define STATE_TEXT_H

#include "fake.h"

#include <praxis/host/state.h>

/* Zeroed: empty. Free `data`. */
struct state_text {
	char *data; /* terminated */
	size_t len;
	size_t size;
};

/* As px_broker_save(), behind what is there. */
int state_text_save(const struct fake *fake, struct state_text *text);

/* All connections break, as those of a server that ends; what is left is saved. Frees the fake. */
struct state_text state_text_end(struct fake *fake);

/* As px_broker_load(), for the fake's one realm. `data` is yours. */
int state_text_load(struct fake *fake, const char *data, size_t len, int64_t elapsed_ms,
		struct px_state_counts *ret_counts);

#endif
