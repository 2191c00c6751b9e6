/* SPDX-License-Identifier: MIT */
/*
 * Moved to <praxis/host/identity.h>; kept for sources that include the old path.
 */
#ifndef PRAXIS_IDENTITY_H
#define PRAXIS_IDENTITY_H

#include <praxis/host/identity.h>

#endif
