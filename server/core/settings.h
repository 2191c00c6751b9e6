/* SPDX-License-Identifier: MIT */
/*
 * The configuration's global part, as settings of broker and connections. Opened by start and
 * reload. It keeps no state.
 */
#ifndef PX_SETTINGS_H
#define PX_SETTINGS_H

#include "config/config.h"

#include <praxis/host/limits.h>

struct px_config;
struct px_limits;

/* settings.c: conversion of the configuration's global part */
struct px_limits px_settings_limits(const struct px_config *config);
/*
 * Raises the process' limit on descriptors to what is wanted, or lowers it to what lws supports;
 * returns the result. Call once, before lws reads it: its tables do not grow.
 */
uint64_t px_settings_descriptors(const struct px_config *config);
/* Maximum number of connections with that many descriptors. */
uint64_t px_settings_connections(const struct px_config *config, uint64_t descriptors);
/* Level and format of log lines, effective from the next one on. */
void px_settings_apply_log(const struct px_config *config);
void px_settings_log_complaint(void *user, enum px_config_level level, const char *text);

#endif
