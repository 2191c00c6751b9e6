/* SPDX-License-Identifier: MIT */
/*
 * A file that does not come at once: read() of the whole program gives as many bytes as are asked
 * of it here, and is interrupted by a signal now and then, as on a slow file system. It takes the
 * place of libc's.
 */
#ifndef PIECES_H
#define PIECES_H

#include <stdbool.h>
#include <stddef.h>

/* From now on at most so many bytes a read, every other of which is interrupted. */
void pieces_begin(size_t bytes, bool is_interrupted);

/* As before. How many reads have given something meanwhile. */
unsigned pieces_end(void);

#endif
