/* SPDX-License-Identifier: MIT */
/* See bearer.h. What is said on the command line goes before what is in the environment. */
#include "bearer.h"
#include "secret.h"
#include "terminal/exit_codes.h"
#include "token.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TTL_S 600 /* long enough for a long list, and for clocks that differ */

static int read_token(const struct px_ctl_target *target, const char *path,
		struct px_bearer *ret_bearer)
{
	int rc = strcmp(path, "-") == 0 ? px_secret_read_input(&ret_bearer->token) :
			px_secret_read(path, &ret_bearer->token);
	if (rc < 0) {
		px_ctl_say(target, "%s: %s", path,
				rc == -ENODATA ? "it contains no token" : strerror(-rc));
		return PX_CTL_USAGE;
	}
	return 0;
}

/* The user in the audit log: the operator's login, or its number. */
static const char *login(char buf[32])
{
	const struct passwd *entry = getpwuid(getuid());
	if (entry && px_span_is_text(px_span(entry->pw_name))) {
		return entry->pw_name;
	}
	(void)snprintf(buf, 32, "%lu", (unsigned long)getuid());
	return buf;
}

static int mint(const struct px_ctl_target *target, struct px_span secret,
		struct px_bearer *ret_bearer)
{
	static const char *const everything[] = { "*" };
	char buf[32];
	char *token = NULL;
	const char *wrong = "";
	const struct px_mint wanted = {
		.secret = secret,
		.kid = target->kid,
		.user = login(buf),
		.role = "admin",
		.name = "praxisctl",
		.tenant = target->tenant,
		.issuer = target->issuer,
		.audience = target->audience,
		.practices = everything,
		.practice_count = 1,
		.now_s = (int64_t)time(NULL),
		.ttl_s = TTL_S,
	};
	int rc = px_mint_token(&wanted, &token, &wrong);
	if (rc < 0) {
		px_ctl_say(target, "cannot make a token: %s",
				rc == -EINVAL ? wrong : strerror(-rc));
		return PX_CTL_USAGE;
	}
	ret_bearer->token = px_span(token);
	ret_bearer->minted = true;
	return 0;
}

static int find_and_mint(const struct px_ctl_target *target, struct px_bearer *ret_bearer)
{
	struct px_span secret = { NULL, 0 };
	const char *path;
	int rc = px_secret_find(target->secret_file, &secret, &path);
	if (rc == -ENOENT && !path) {
		return 0; /* the server says whether that matters */
	}
	if (rc < 0) {
		px_ctl_say(target, "%s: %s", path ? path : "the secret",
				rc == -ENODATA ? "it contains no secret" : strerror(-rc));
		return PX_CTL_USAGE;
	}
	rc = mint(target, secret, ret_bearer);
	px_secret_free(secret);
	return rc;
}

static const char *variable(const char *name)
{
	const char *value = getenv(name);
	return value && value[0] != '\0' ? value : NULL;
}

int px_bearer_find(const struct px_ctl_target *target, struct px_bearer *ret_bearer)
{
	*ret_bearer = (struct px_bearer){ .minted = false };
	if (target->token_file) {
		return read_token(target, target->token_file, ret_bearer);
	}
	if (target->secret_file) {
		return find_and_mint(target, ret_bearer);
	}
	const char *token = variable("PRAXIS_TOKEN");
	if (token) {
		ret_bearer->token = px_span(strdup(token));
		return ret_bearer->token.data ? 0 : PX_CTL_USAGE;
	}
	const char *path = variable("PRAXIS_TOKEN_FILE");
	return path ? read_token(target, path, ret_bearer) : find_and_mint(target, ret_bearer);
}

void px_bearer_free(struct px_bearer *bearer)
{
	px_secret_free(bearer->token);
	bearer->token = (struct px_span){ NULL, 0 };
}
