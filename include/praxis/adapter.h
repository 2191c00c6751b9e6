/* SPDX-License-Identifier: MIT */
/*
 * Moved to <praxis/host/adapter.h>; kept for sources that include the old path.
 */
#ifndef PRAXIS_ADAPTER_H
#define PRAXIS_ADAPTER_H

#include <praxis/host/adapter.h>

#endif
