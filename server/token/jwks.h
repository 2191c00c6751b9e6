/* SPDX-License-Identifier: MIT */
/*
 * The keys that tokens are checked with: a secret, and what a JWKS file (RFC 7517) holds,
 * which is read again when it changes. Several keys are valid at once, so that a rotation
 * needs no moment at which both sides change.
 *
 * No thread, timer or inotify of its own: the host calls px_jwks_reload_if_changed() every
 * few seconds. inotify would be quicker, and would miss what happens to a file behind a
 * symbolic link or on a network file system, which is how Kubernetes renews a secret.
 */
#ifndef PX_JWKS_H
#define PX_JWKS_H

#include "jwk.h"

/* Keys in one set, and bytes of a JWKS. */
#define PX_KEYS_MAX 64
#define PX_KEYS_BYTES_MAX (1024 * 1024)

/* Keys tried for a token that names none. */
#define PX_KEYS_TRIES_MAX 8

struct px_jwks;

/* Where keys come from; everything is copied. At least one of the two. */
struct px_jwks_source {
	struct px_span secret;  /* for HS256, as it is; len 0: none */
	const char *secret_kid; /* NULL: only for tokens without a "kid" */
	const char *jwks_file;  /* NULL: none */
};

/*
 * Where complaints go: one sentence without line end, which begins with the file where it is
 * about one, and never holds anything of a key but its "kid".
 */
struct px_jwks_sink {
	void (*on_complaint)(void *user, bool error, const char *text);
	void *user;
};

/*
 * 0, and *ret_keys is the caller's until px_jwks_destroy(); -EINVAL after an error went to
 * the sink; -ENOMEM. Keys that cannot be used are skipped with a warning, and so is the
 * private part of one. A file whose "keys" are [] is an empty set, with a warning; one that
 * has some, none of which can be used, is an error.
 */
int px_jwks_create(const struct px_jwks_source *source, const struct px_jwks_sink *sink,
		struct px_jwks **ret_keys);

/* Wipes the secrets. */
void px_jwks_destroy(struct px_jwks *keys);

/*
 * 1: the file has changed, and the set with it, all of it at once. 0: it has not. -errno:
 * it has, but cannot be used; the keys stay as they were, and the sink was told, once for each
 * content. One stat() where nothing happens.
 */
int px_jwks_reload_if_changed(struct px_jwks *keys, const struct px_jwks_sink *sink);

size_t px_jwks_count(const struct px_jwks *keys);

/*
 * Checks a signature with the keys of that type: those called `kid`, or all (the first
 * PX_KEYS_TRIES_MAX) if its data is NULL. 0; -ENOKEY: no key is called so; -ENOTSUP: there are
 * such, but none is of that type; -EBADMSG: none of them made the signature.
 */
int px_jwks_verify(const struct px_jwks *keys, enum px_jwk_type type, struct px_span kid,
		const struct px_signed *message);

#endif
