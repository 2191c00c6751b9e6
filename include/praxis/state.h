/* SPDX-License-Identifier: MIT */
/* Where it was before; <praxis/host/state.h> is what a host includes now. */
#ifndef PRAXIS_STATE_H
#define PRAXIS_STATE_H

#include <praxis/host/state.h>

#endif
