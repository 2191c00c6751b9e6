/* SPDX-License-Identifier: MIT */
/* Lists of the server's, all pages of them. */
#ifndef PX_TOOLS_LIST_H
#define PX_TOOLS_LIST_H

#include "client.h"

struct px_ctl_list {
	const char *name;     /* of the path, and of the member with the rows */
	const char *service;  /* only of these; NULL: of any */
	const char *practice;
	const char *user;     /* rows with this "userId"; the server does not choose by it */
};

/*
 * {"<name>":[…]} with the rows of all pages, the caller's. A row that changes while the pages are
 * read is in it once. 0, or the exit code after saying why.
 */
int px_ctl_list_all(struct px_ctl_client *client, const struct px_ctl_list *list,
		struct json_object **ret_object);

#endif
