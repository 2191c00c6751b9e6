/* SPDX-License-Identifier: MIT */
/* The command line of a simulation: [--seed N] [--steps N]. And its dice. */
#ifndef SIM_ARGS_H
#define SIM_ARGS_H

#include <stdbool.h>
#include <stdint.h>

struct sim_args {
	uint64_t seed;
	uint64_t steps;
};

/* Prints the seed, with which a failure can be had again. Called wrongly, it ends the process. */
struct sim_args sim_args_read(const char *program, int argc, char **argv);

/* Seeded by the arguments. */
unsigned dice(unsigned sides);
bool chance(unsigned percent);

#endif
