/* SPDX-License-Identifier: MIT */
/*
 * Moved to <praxis/host/state.h>; kept for sources that include the old path.
 */
#ifndef PRAXIS_STATE_H
#define PRAXIS_STATE_H

#include <praxis/host/state.h>

#endif
