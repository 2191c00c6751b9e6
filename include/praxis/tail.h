/* SPDX-License-Identifier: MIT */
/* Where it was before; <praxis/host/message_tap.h> is what a host includes now. */
#ifndef PRAXIS_TAIL_H
#define PRAXIS_TAIL_H

#include <praxis/host/message_tap.h>

#endif
