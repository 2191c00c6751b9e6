/* SPDX-License-Identifier: MIT */
/*
 * The query parameters of an upgrade that resumes a session (docs/protocol.md, section 6).
 */
#include "net/resume_query.h"
#include "auth/open_mode.h"
#include "core/peer.h"
#include "upgrade.h"

#include <string.h>

static int64_t read_count(struct px_span text)
{
	int64_t count = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9') {
			return -1;
		}
		count = count * 10 + (text.data[i] - '0');
	}
	return text.len > 0 ? count : -1;
}

/* A token with the wrong length is invalid, but it counts as given. */
int px_resume_query_read(struct px_peer *peer, struct lws *wsi)
{
	char token[PX_RESUME_TOKEN_MAX + 1];
	char count[18];
	struct px_span value;
	px_resume_query_drop(peer);
	int rc = peer->versioned ? px_query_parameter(wsi, "resume", token, sizeof(token), &value) : 0;
	if (!peer->versioned || (rc == 0 && value.len == 0)) {
		return 0;
	}
	struct px_span given = rc == 0 ? value : px_span("?");
	int64_t received = px_query_parameter(wsi, "received", count, sizeof(count), &value) == 0 ?
			read_count(value) : -1;
	rc = px_resume_query_set(peer, given, received);
	explicit_bzero(token, sizeof(token));
	return rc;
}
