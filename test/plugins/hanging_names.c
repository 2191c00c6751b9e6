/* SPDX-License-Identifier: MIT */
/*
 * A name server that does not answer, for LD_PRELOAD: looking up a name that ends in ".hangs" takes
 * until the test lets go of the FIFO PRAXIS_NAMES_FIFO, and then fails. Opening that FIFO for
 * writing, without blocking, works as soon as somebody looks up. Other names are as they are.
 * Rejected: a name server of the test's own on loopback; resolv.conf can be pointed at it only by
 * root, in a namespace.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__attribute__((visibility("default")))
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		struct addrinfo **ret_list)
{
	static const char suffix[] = ".hangs";
	size_t len = node ? strlen(node) : 0;
	const char *fifo = getenv("PRAXIS_NAMES_FIFO");
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
	if (fifo && len >= sizeof(suffix) && strcmp(node + len - strlen(suffix), suffix) == 0) {
		char byte;
		int fd = open(fifo, O_RDONLY | O_CLOEXEC);
		while (fd >= 0 && read(fd, &byte, 1) > 0) {
		}
		close(fd);
		return EAI_AGAIN;
	}
	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	return real(node, service, hints, ret_list);
}
