/* SPDX-License-Identifier: MIT */
/*
 * `praxisd --health`: whether the server with this configuration answers. Opened by main.c. It is
 * never the server itself.
 */
#ifndef PX_HEALTH_H
#define PX_HEALTH_H

struct px_config;

/* Prints the result in one sentence on stdout or stderr, and returns the exit code: 0, or 1. */
int px_health(const struct px_config *config);

#endif
