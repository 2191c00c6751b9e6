/* SPDX-License-Identifier: MIT */
/* See args.h. */
#include "args.h"

#include "../unit/fake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t dice_state;

struct sim_args sim_args_read(const char *program, int argc, char **argv)
{
	struct sim_args args = { .seed = 1, .steps = 100000 };
	for (int i = 1; i < argc; i += 2) {
		uint64_t *value = strcmp(argv[i], "--seed") == 0 ? &args.seed :
				strcmp(argv[i], "--steps") == 0 ? &args.steps : NULL;
		if (!value || i + 1 == argc) {
			fprintf(stderr, "usage: %s [--seed N] [--steps N]\n", program);
			exit(2);
		}
		*value = strtoull(argv[i + 1], NULL, 10);
	}
	printf("seed %llu\n", (unsigned long long)args.seed);
	dice_state = args.seed * 2654435761u + 1;
	return args;
}

unsigned dice(unsigned sides)
{
	return (unsigned)((fake_random(&dice_state) >> 32) % sides);
}

bool chance(unsigned percent)
{
	return dice(100) < percent;
}
