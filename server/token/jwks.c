/* SPDX-License-Identifier: MIT */
/*
 * A set of keys and the file behind it. A new set is made whole beside the one in use, then
 * they change places: verification is synchronous and in the same thread, so that nobody
 * can be between the two.
 *
 * That a file has changed is seen by its stat, as long as that is old enough to be trusted:
 * a file written twice within a tick of the file system's clock keeps its times, and one
 * that is being written may be read half. Until then it is read again and its hash compared.
 */
#include "jwks.h"

#include "base/file_stamp.h"
#include "common/strict_json.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Coarser clocks than this have gone out of use with FAT. */
#define SETTLED_AFTER_S 2

struct set {
	struct px_jwk keys[PX_KEYS_MAX + 1]; /* the secret comes first */
	size_t count;
};

struct px_jwks {
	struct set *set;
	struct px_jwk secret; /* as configured; each set has a copy */
	char *path;           /* NULL: no file */

	/* of what was last read, be it usable or not */
	struct px_file_stamp stamp;
	bool settled;
	uint8_t hash[EVP_MAX_MD_SIZE];
	int unreadable; /* 0, or the -errno that was told */
};

/* The bytes of a file; wiped before they are freed. */
struct content {
	char *data;
	size_t len;
};

static void PX_PRINTF(3, 4) complain(const struct px_jwks_sink *sink, bool error,
		const char *format, ...)
{
	char text[4096 + 512];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	sink->on_complaint(sink->user, error, text);
}

static void set_destroy(struct set *set)
{
	if (!set) {
		return;
	}
	for (size_t i = 0; i < set->count; i++) {
		px_jwk_finish(&set->keys[i]);
	}
	free(set);
}

static void content_finish(struct content *content)
{
	if (content->data) {
		explicit_bzero(content->data, content->len);
	}
	free(content->data);
}

/* A time in the future settles when it has come; until then the file is read every time. */
static bool is_settled(const struct px_file_stamp *stamp)
{
	time_t newer = stamp->modified.tv_sec > stamp->changed.tv_sec ? stamp->modified.tv_sec :
			stamp->changed.tv_sec;
	return time(NULL) - newer >= SETTLED_AFTER_S;
}

static int read_all(int fd, struct content *content)
{
	for (;;) {
		if (content->len > PX_KEYS_BYTES_MAX) {
			return -EFBIG;
		}
		ssize_t n = read(fd, content->data + content->len,
				PX_KEYS_BYTES_MAX + 1 - content->len);
		if (n < 0 && errno != EINTR) {
			return -errno;
		}
		if (n == 0) {
			return 0;
		}
		content->len += n > 0 ? (size_t)n : 0;
	}
}

static int read_file(const char *path, struct px_file_stamp *ret_stamp, struct content *ret_content)
{
	struct stat status;
	struct content content = { .data = NULL };
	/* O_NONBLOCK: opening a pipe must not wait for its other end */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		return -errno;
	}
	int rc = fstat(fd, &status) < 0 ? -errno : !S_ISREG(status.st_mode) ? -ENOTSUP :
			status.st_size > PX_KEYS_BYTES_MAX ? -EFBIG : 0;
	if (rc == 0) {
		content.data = malloc(PX_KEYS_BYTES_MAX + 1);
		rc = content.data ? read_all(fd, &content) : -ENOMEM;
	}
	(void)close(fd);
	if (rc < 0) {
		content_finish(&content);
		return rc;
	}
	*ret_stamp = px_file_stamp_of(&status);
	*ret_content = content;
	return 0;
}

/* json-c frees strings as they are; setting one to as many zeros overwrites it in place. */
static void wipe(struct json_object *value)
{
	if (json_object_is_type(value, json_type_string)) {
		size_t len = (size_t)json_object_get_string_len(value);
		char *zeros = calloc(1, len + 1);
		if (zeros) {
			json_object_set_string_len(value, zeros, (int)len);
		}
		free(zeros);
	}
	if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(value); i++) {
			wipe(json_object_array_get_idx(value, i));
		}
	}
	if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, name, member) {
			(void)name;
			wipe(member);
		}
	}
}

/* " (\"kid\")", or nothing where it has none that can be shown. */
static void name_of(struct json_object *jwk, char name[PX_KID_MAX + 8])
{
	struct json_object *kid = json_object_is_type(jwk, json_type_object) ?
			json_object_object_get(jwk, "kid") : NULL;
	name[0] = '\0';
	if (json_object_is_type(kid, json_type_string) && json_object_get_string_len(kid) > 0 &&
			json_object_get_string_len(kid) <= PX_KID_MAX &&
			px_span_is_text(px_span(json_object_get_string(kid)))) {
		(void)snprintf(name, PX_KID_MAX + 8, " (\"%s\")", json_object_get_string(kid));
	}
}

static int add_jwk(struct set *set, struct json_object *jwk, size_t number, const char *path,
		const struct px_jwks_sink *sink)
{
	char name[PX_KID_MAX + 8];
	struct px_jwk_notes notes = { .reason = NULL };
	struct px_jwk *key = &set->keys[set->count];
	name_of(jwk, name);
	int rc = px_jwk_from_jwk(jwk, key, &notes);
	if (rc == -EINVAL) {
		complain(sink, false, "%s: key %zu%s is skipped: %s", path, number, name,
				notes.reason);
		return 0;
	}
	if (rc < 0) {
		return rc;
	}
	set->count++;
	if (notes.reduced) {
		complain(sink, false, "%s: key %zu%s is a private key, which is not needed to verify "
				"tokens; only its public part is used", path,
				number, name);
	}
	if (key->secret && key->secret_len < PX_SECRET_BYTES_GOOD) {
		complain(sink, false, "%s: key %zu%s is a secret of fewer than %d bytes, which can "
				"be guessed", path, number, name, PX_SECRET_BYTES_GOOD);
	}
	return 0;
}

static int add_jwks(struct set *set, struct json_object *jwks, const char *path,
		const struct px_jwks_sink *sink)
{
	struct json_object *list = json_object_object_get(jwks, "keys");
	if (!json_object_is_type(list, json_type_array)) {
		complain(sink, true, "%s: not a key set: it has no array \"keys\"", path);
		return -EINVAL;
	}
	size_t length = json_object_array_length(list);
	size_t before = set->count;
	if (length > PX_KEYS_MAX) {
		complain(sink, true, "%s: the key set has %zu keys; %d are permitted", path, length,
				PX_KEYS_MAX);
		return -EINVAL;
	}
	for (size_t i = 0; i < length; i++) {
		int rc = add_jwk(set, json_object_array_get_idx(list, i), i + 1, path, sink);
		if (rc < 0) {
			return rc;
		}
	}
	if (length == 0) {
		complain(sink, false, "%s: the key set is empty", path);
	} else if (set->count == before) {
		complain(sink, true, "%s: none of its keys can be used", path);
		return -EINVAL;
	}
	return 0;
}

static int add_content(struct set *set, const struct content *content, const char *path,
		const struct px_jwks_sink *sink)
{
	struct json_object *jwks = NULL;
	int rc = px_strict_json_parse((struct px_span){ content->data, content->len }, &jwks);
	if (rc == -EINVAL) {
		complain(sink, true, "%s: not a key set: it is not valid JSON, not an object, or has "
				"duplicate names", path);
	}
	if (rc < 0) {
		return rc;
	}
	rc = add_jwks(set, jwks, path, sink);
	wipe(jwks);
	json_object_put(jwks);
	return rc;
}

/* A set of the secret and, unless it is NULL, the file's content. */
static int set_create(const struct px_jwks *keys, const struct content *content,
		const struct px_jwks_sink *sink, struct set **ret_set)
{
	const struct px_jwk *secret = &keys->secret;
	int rc = 0;
	struct set *set = calloc(1, sizeof(*set));
	if (!set) {
		return -ENOMEM;
	}
	if (secret->secret) {
		struct px_span bytes = { (char *)secret->secret, secret->secret_len };
		rc = px_jwk_from_secret(bytes, secret->kid, &set->keys[0]);
		set->count += rc == 0;
	}
	if (rc == 0 && content) {
		rc = add_content(set, content, keys->path, sink);
	}
	if (rc < 0) {
		set_destroy(set);
		return rc;
	}
	*ret_set = set;
	return 0;
}

static const char *sentence_for(int rc)
{
	switch (rc) {
	case -EFBIG: return "larger than 1 MiB";
	case -ENOTSUP: return "not a regular file";
	default: return strerror(-rc);
	}
}

/* A file that cannot be read: told when it begins to be so, and when the reason changes. */
static int fail_to_read(struct px_jwks *keys, int rc, const struct px_jwks_sink *sink)
{
	bool told = rc == keys->unreadable;
	keys->unreadable = rc;
	keys->settled = false;
	memset(keys->hash, 0, sizeof(keys->hash));
	if (told) {
		return 0;
	}
	complain(sink, true, "%s: %s", keys->path, sentence_for(rc));
	return rc;
}

/* 1: there is a new set; 0: the content was read before; or an error, which was told. */
static int take_content(struct px_jwks *keys, const struct content *content,
		const struct px_file_stamp *stamp, const struct px_jwks_sink *sink)
{
	uint8_t hash[EVP_MAX_MD_SIZE] = { 0 };
	struct set *set = NULL;
	if (!EVP_Digest(content->data, content->len, hash, NULL, EVP_sha256(), NULL)) {
		return -ENOMEM;
	}
	bool known = memcmp(hash, keys->hash, sizeof(hash)) == 0;
	int rc = known ? 0 : set_create(keys, content, sink, &set);
	if (rc == -ENOMEM) {
		return rc; /* to be tried again */
	}
	keys->stamp = *stamp;
	keys->settled = is_settled(stamp);
	keys->unreadable = 0;
	memcpy(keys->hash, hash, sizeof(hash));
	if (rc < 0 || known) {
		return rc;
	}
	set_destroy(keys->set);
	keys->set = set;
	return 1;
}

static int load(struct px_jwks *keys, const struct px_jwks_sink *sink)
{
	struct px_file_stamp stamp = { .size = 0 };
	struct content content = { .data = NULL };
	int rc = read_file(keys->path, &stamp, &content);
	if (rc < 0) {
		return fail_to_read(keys, rc, sink);
	}
	rc = take_content(keys, &content, &stamp, sink);
	content_finish(&content);
	return rc;
}

static int set_up(struct px_jwks *keys, const struct px_jwks_source *source,
		const struct px_jwks_sink *sink)
{
	if (source->jwks_file) {
		keys->path = strdup(source->jwks_file);
		if (!keys->path) {
			return -ENOMEM;
		}
	}
	if (source->secret.len > 0) {
		int rc = px_jwk_from_secret(source->secret, source->secret_kid, &keys->secret);
		if (rc < 0) {
			return rc;
		}
	}
	if (source->secret.len > 0 && source->secret.len < PX_SECRET_BYTES_GOOD) {
		complain(sink, false, "the secret for tokens has fewer than %d bytes and can be "
				"guessed", PX_SECRET_BYTES_GOOD);
	}
	if (!keys->path && source->secret.len == 0) {
		complain(sink, true, "verifying tokens requires a secret or a key set");
		return -EINVAL;
	}
	if (!keys->path) {
		return set_create(keys, NULL, sink, &keys->set);
	}
	int rc = load(keys, sink);
	return rc == -ENOMEM ? -ENOMEM : rc < 0 ? -EINVAL : 0;
}

int px_jwks_create(const struct px_jwks_source *source, const struct px_jwks_sink *sink,
		struct px_jwks **ret_keys)
{
	struct px_jwks *keys = calloc(1, sizeof(*keys));
	if (!keys) {
		return -ENOMEM;
	}
	int rc = set_up(keys, source, sink);
	if (rc < 0) {
		px_jwks_destroy(keys);
		return rc;
	}
	*ret_keys = keys;
	return 0;
}

void px_jwks_destroy(struct px_jwks *keys)
{
	if (!keys) {
		return;
	}
	set_destroy(keys->set);
	px_jwk_finish(&keys->secret);
	free(keys->path);
	free(keys);
}

int px_jwks_reload_if_changed(struct px_jwks *keys, const struct px_jwks_sink *sink)
{
	struct stat status;
	if (!keys->path) {
		return 0;
	}
	if (keys->settled && stat(keys->path, &status) == 0) {
		struct px_file_stamp stamp = px_file_stamp_of(&status);
		if (px_file_stamp_equal(&stamp, &keys->stamp)) {
			return 0;
		}
	}
	return load(keys, sink);
}

size_t px_jwks_count(const struct px_jwks *keys)
{
	return keys->set->count;
}

int px_jwks_verify(const struct px_jwks *keys, enum px_jwk_type type, struct px_span kid,
		const struct px_signed *message)
{
	size_t named = 0;
	unsigned tries = 0;
	for (size_t i = 0; i < keys->set->count && tries < PX_KEYS_TRIES_MAX; i++) {
		const struct px_jwk *key = &keys->set->keys[i];
		if (kid.data && !(key->kid && px_span_equal(px_span(key->kid), kid))) {
			continue;
		}
		named++;
		if (key->type != type) {
			continue;
		}
		tries++;
		if (px_jwk_verify(key, message) == 0) {
			return 0;
		}
	}
	return tries > 0 ? -EBADMSG : named > 0 || !kid.data ? -ENOTSUP : -ENOKEY;
}
