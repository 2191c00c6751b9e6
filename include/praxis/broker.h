/* SPDX-License-Identifier: MIT */
/*
 * Moved to <praxis/host/broker.h>; kept for sources that include the old path.
 */
#ifndef PRAXIS_BROKER_H
#define PRAXIS_BROKER_H

#include <praxis/host/broker.h>

#endif
