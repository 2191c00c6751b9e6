/* SPDX-License-Identifier: MIT */
/*
 * Whether memory is given back with a secret in it, by whomever: json-c's copies count, too. A
 * build without AddressSanitizer, whose hook this is, sees nothing.
 */
#ifndef LEFTOVER_H
#define LEFTOVER_H

/* Looks from now on into each block that is freed. The text must live on; NULL: no more. */
void leftover_watch(const char *secret);

/* How many blocks had it in them since. */
unsigned leftover_count(void);

#endif
