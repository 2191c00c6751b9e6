/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the configuration reader share. Nobody else includes this.
 *
 * The order of a load: files.c finds and reads, config/value/json.c parses, config/value/expand.c
 * substitutes, config.c takes the files apart, the others check what they hold, vhost.c
 * and global.c first. Throughout: a complaint about the content is counted and reading goes on; what
 * a function returns below 0 (-ENOMEM) ends the load.
 */
#ifndef PX_CONFIG_INTERNAL_H
#define PX_CONFIG_INTERNAL_H

#include "config.h"
#include "config/value/json.h"

/* Bounds of what a file may make the reader allocate, and compare with one another. */
#define PX_CONFIG_FILES_MAX 1000
#define PX_CONFIG_FILE_BYTES_MAX (1024 * 1024)
#define PX_CONFIG_VALUE_BYTES_MAX (64 * 1024)
#define PX_CONFIG_ITEMS_MAX 256 /* vhosts, members of an object, services, addresses … */

struct px_config_reporter {
	const struct px_config_sink *sink;
	unsigned error_count;
};

/* A file while it is read. Its address is that of `file`, which the configuration keeps. */
struct px_config_source {
	struct px_config_file file;
	char *path;     /* NULL: the text was given */
	unsigned order; /* later files win */
	struct px_config_json json;
};

/* One "ws-protocols", to be applied when all vhosts are known. */
struct px_config_block {
	const struct px_config_source *source;
	struct px_config_item item;
	char *vhost_name; /* NULL: that of vhost_index */
	size_t vhost_index;
	unsigned vhost_line;
};

struct px_config_loader {
	struct px_config *config;
	struct px_config_reporter reporter;
	struct px_config_object global; /* merged from all files */
	struct px_config_block *blocks;
	size_t block_count;
	bool incomplete; /* a file could not be parsed: do not complain of what may be in it */
};

/* ---- config.c ---- */

/* `file` may be NULL (the whole), and `line` 0 (the whole file). */
void px_config_complain(struct px_config_reporter *reporter, enum px_config_level level,
		const struct px_config_file *file, unsigned line, const char *format, ...)
		PX_PRINTF(5, 6);

/* Tells how many errors were too many to be shown. */
void px_config_complain_end(struct px_config_reporter *reporter);

/* array[count] zeroed after the elements there are; NULL without memory, array unchanged. */
void *px_config_grow(void *array, size_t count, size_t size);

/* ---- files.c ---- */

/* Fills config->sources with what there is to read at `path`. -errno after a complaint. */
int px_config_files_find(struct px_config_loader *loader, const char *path);

int px_config_sources_add(struct px_config *config, const char *name, const char *directory,
		const char *path, struct px_config_source **ret_source);

/* A regular file's bytes, with a NUL behind them. -EFBIG: more than `max`. */
int px_config_file_read(const char *path, size_t max, char **ret_text, size_t *ret_length);

/* Whether px_config_file_read() could read it, of whatever size: 0, or -errno as there. */
int px_config_file_check(const char *path);

/* `path`, or where it leads from `directory`. NULL without memory. */
char *px_config_path_join(const char *directory, const char *path);

/*
 * Complains where the file of an absolute path, which the member gives, can be neither written nor
 * made by this process as it is now. 0 or -ENOMEM.
 */
int px_config_writable_check(struct px_config_reporter *reporter, enum px_config_level level,
		const struct px_config_member *member, const char *path);

/* ---- config/value/expand.c ---- */

/* Substitutes ${NAME} in every string of a source, and marks what is to be left out. */
int px_config_expand(struct px_config_reporter *reporter, struct px_config_source *source);

/* ---- config/value/object.c ---- */

/* The members of the object `item`. 0; -EINVAL after the complaint that it is none; -ENOMEM. */
int px_config_object_read(struct px_config_reporter *reporter,
		const struct px_config_source *source, const struct px_config_item *item,
		const char *what, struct px_config_object *ret_object);

void px_config_object_finish(struct px_config_object *object);

const struct px_config_member *px_config_object_find(const struct px_config_object *object,
		const char *key);

/* The member that gives an option, as "key" or as "key-file". */
const struct px_config_member *px_config_object_given(const struct px_config_object *object,
		const char *key);

/* Says `sentence` of "key", which the object has. */
void px_config_object_complain(struct px_config_reporter *reporter, enum px_config_level level,
		const struct px_config_object *object, const char *key, const char *sentence);

/* Adds a copy of a member, or puts it in place of the one with its key. */
int px_config_object_set(struct px_config_object *object, const struct px_config_member *member);

/* A member as an item, to walk into it. */
struct px_config_item px_config_member_item(const struct px_config_member *member);

/*
 * Checks an object against a table, reading the files of <key>-file. `what` (or NULL) begins
 * each complaint. 0, -EINVAL after complaints, -ENOMEM.
 */
int px_config_object_check(struct px_config_reporter *reporter,
		const struct px_config_object *object, const struct px_option *table,
		const char *what, struct px_options **ret_options);

/* Both in one: an object, and what its table makes of it. */
struct px_config_section {
	struct px_config_object object;
	struct px_options *options;
};

/* 0; -EINVAL after complaints; -ENOMEM. To be finished in each case. */
int px_config_section_read(struct px_config_reporter *reporter,
		const struct px_config_source *source, const struct px_config_item *item,
		const char *what, const struct px_option *table,
		struct px_config_section *ret_section);
void px_config_section_finish(struct px_config_section *section);

/* A copy of a string option; NULL where it is unset. 0 or -ENOMEM. */
int px_config_string_copy(const struct px_options *options, const char *key, char **ret_string);

/*
 * The same for the path of a file, made absolute; complains where the file cannot be read,
 * without a word of the path. `object` is what the options were checked from.
 */
int px_config_path_copy(struct px_config_reporter *reporter,
		const struct px_config_object *object, const struct px_options *options,
		const char *key, char **ret_path);

/* The same for a secret: warns of one that is too short, and wipes what the file had of it. */
int px_config_secret_copy(struct px_config_reporter *reporter,
		const struct px_config_object *object, const struct px_options *options,
		const char *key, char **ret_secret);

/* Wipes and frees; NULL-safe. */
void px_config_secret_destroy(char *secret);

/*
 * Hands `each` the strings of "key": "string" or ["string", …], and complains of anything
 * else. Without the member: the fallback; if that is NULL, there may be none, also as [].
 * Ends with the first value below 0 of `each`.
 */
int px_config_strings(struct px_config_loader *loader, const struct px_config_object *object,
		const char *key, const char *fallback,
		int (*each)(struct px_config_loader *loader, const struct px_config_file *file,
				unsigned line, const char *text, void *user),
		void *user);

/*
 * The same of strings that have no spaces and no commas: each may be several, with these between
 * them, since a variable of the environment has one string for all.
 */
int px_config_words(struct px_config_loader *loader, const struct px_config_object *object,
		const char *key, const char *fallback,
		int (*each)(struct px_config_loader *loader, const struct px_config_file *file,
				unsigned line, const char *text, void *user),
		void *user);

/* ---- vhost.c ---- */

/* One element of "vhosts". */
int px_config_vhost_read(struct px_config_loader *loader, const struct px_config_source *source,
		const struct px_config_item *item);

/* What can be said once all vhosts are known. */
void px_config_vhosts_check(struct px_config_loader *loader);

void px_config_vhost_finish(struct px_config_vhost *vhost);

/* ---- mount.c ---- */

int px_config_mounts_read(struct px_config_loader *loader, const struct px_config_source *source,
		const struct px_config_item *item, struct px_config_vhost *vhost);

int px_config_headers_read(struct px_config_loader *loader,
		const struct px_config_source *source, const struct px_config_item *item,
		struct px_config_vhost *vhost);

/* Whether it is a token of HTTP (RFC 9110, 5.6.2): the name of a header, or of a cookie. */
bool px_config_http_token_ok(const char *text, size_t length);

/* Whether it begins with / and has nothing that a URL's path cannot have. */
bool px_config_url_path_ok(const char *text);

/* ---- config/value/address.c ---- */

/*
 * Adds the addresses of "localhost", "*", a literal, or a network interface. -ENOENT: it is
 * none of these; -EADDRNOTAVAIL: an interface without an address; -E2BIG: too many; -ENOMEM.
 */
int px_config_addresses_add(struct px_config_vhost *vhost, const char *text);

bool px_config_address_is_loopback(const struct px_config_address *address);

/* The same address and port; never where the port is 0. */
bool px_config_address_equal(const struct px_config_address *a,
		const struct px_config_address *b);

/* "127.0.0.1", "::1". */
void px_config_address_print(const struct px_config_address *address, char *buf, size_t size);

/* ---- tokens.c ---- */

/* Whether the environment has neither a secret nor keys for "tokens", as the file permits. */
bool px_config_tokens_left_out(const struct px_config_member *member);

/* "tokens" of a vhost. vhost->tokens stays NULL after complaints, and where they are left out. */
int px_config_tokens_read(struct px_config_loader *loader,
		const struct px_config_member *member, struct px_config_vhost *vhost);

void px_config_tokens_destroy(struct px_config_tokens *tokens);

/* ---- url.c, proxy.c, tls.c: keys of a vhost ---- */

int px_config_auth_url_read(struct px_config_loader *loader,
		const struct px_config_object *object, const struct px_options *options,
		struct px_config_vhost *vhost);

/*
 * The URL of a back end, as browsers would write it, with a path; *ret_url is NULL where the option is
 * unset, or after a complaint. *ret_exposed: it is http:, and not to this machine. -ENOMEM.
 */
int px_config_http_url_copy(struct px_config_loader *loader,
		const struct px_config_object *object, const struct px_options *options,
		const char *key, char **ret_url, bool *ret_exposed);

int px_config_origins_read(struct px_config_loader *loader,
		const struct px_config_object *object, struct px_config_vhost *vhost);

int px_config_proxies_read(struct px_config_loader *loader,
		const struct px_config_object *object, struct px_config_vhost *vhost);

int px_config_tls_read(struct px_config_loader *loader, const struct px_config_object *object,
		const struct px_options *options, struct px_config_vhost *vhost);

/* ---- webhook.c ---- */

/* The keys "webhook-…" of a vhost. vhost->webhook stays NULL after complaints. */
int px_config_webhook_read(struct px_config_loader *loader,
		const struct px_config_object *object, const struct px_options *options,
		struct px_config_vhost *vhost);

void px_config_webhook_destroy(struct px_config_webhook *webhook);

/* ---- audit.c ---- */

/* "audit" of the global part, which stays NULL after complaints. */
int px_config_audit_read(struct px_config_loader *loader, const struct px_config_member *member,
		struct px_config_audit **ret_audit);

void px_config_audit_destroy(struct px_config_audit *audit);

/* ---- service.c ---- */

/* Remembers a "ws-protocols" for px_config_services_apply(); what it points to is copied. */
int px_config_block_add(struct px_config_loader *loader, const struct px_config_block *block);

/* Applies all of them, in the order of their files. */
int px_config_services_apply(struct px_config_loader *loader);

void px_config_blocks_finish(struct px_config_loader *loader);

void px_config_service_finish(struct px_config_service *service);

/* ---- the tables ---- */

extern const struct px_option px_config_file_table[];
extern const struct px_option px_config_global_table[];
extern const struct px_option px_config_vhost_table[];
extern const struct px_option px_config_mount_table[];
extern const struct px_option px_config_tokens_table[];
extern const struct px_option px_config_claims_table[];
extern const struct px_option px_config_audit_table[];

/* global.c */
int px_config_global_read(struct px_config_loader *loader);

void px_config_global_finish(struct px_config_global *global);

#endif
