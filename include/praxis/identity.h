/* SPDX-License-Identifier: MIT */
/* Where it was before; <praxis/host/identity.h> is what a host includes now. */
#ifndef PRAXIS_IDENTITY_H
#define PRAXIS_IDENTITY_H

#include <praxis/host/identity.h>

#endif
