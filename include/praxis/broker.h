/* SPDX-License-Identifier: MIT */
/* Where it was before; <praxis/host/broker.h> is what a host includes now. */
#ifndef PRAXIS_BROKER_H
#define PRAXIS_BROKER_H

#include <praxis/host/broker.h>

#endif
