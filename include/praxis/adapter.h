/* SPDX-License-Identifier: MIT */
/* Where it was before; <praxis/host/adapter.h> is what a host includes now. */
#ifndef PRAXIS_ADAPTER_H
#define PRAXIS_ADAPTER_H

#include <praxis/host/adapter.h>

#endif
