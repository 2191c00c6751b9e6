/* SPDX-License-Identifier: MIT */
/*
 * Moved to <praxis/host/message_tap.h>; kept for sources that include the old path.
 */
#ifndef PRAXIS_TAIL_H
#define PRAXIS_TAIL_H

#include <praxis/host/message_tap.h>

#endif
