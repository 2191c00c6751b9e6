/* SPDX-License-Identifier: MIT */
/* What a request asks for: a path below /api/v1/ and its query, written piece by piece. */
#ifndef PX_TOOLS_PATH_H
#define PX_TOOLS_PATH_H

#include <praxis/types.h>

#define PX_CTL_PATH_MAX 2048

/* A path with its query: "clients", then parameters, each percent-encoded. */
struct px_ctl_path {
	char text[PX_CTL_PATH_MAX];
	size_t len;
	bool failed; /* too long */
};

void px_ctl_path_begin(struct px_ctl_path *path, const char *text);
/* One more element of the path, such as a service's name. */
void px_ctl_path_element(struct px_ctl_path *path, const char *text);
/* A parameter; NULL: it is left out. */
void px_ctl_path_parameter(struct px_ctl_path *path, const char *name, const char *value);

#endif
