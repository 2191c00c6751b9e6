/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the configuration reader share. Private to these files.
 *
 * The order of a load: files.c finds and reads, config/value/json.c parses, config/value/expand.c
 * substitutes, config.c takes the files apart, addition.c keeps what they say of each other's
 * vhosts, the others check what they hold, vhost.c and global.c first. Throughout: a complaint
 * about the content is counted and reading goes on; what a function returns below 0 (-ENOMEM) ends
 * the load.
 */
#ifndef PX_CONFIG_INTERNAL_H
#define PX_CONFIG_INTERNAL_H

#include "config.h"
#include "config/value/reader.h"

/* Bounds of what a file may make the reader allocate, and compare with one another. */
#define PX_CONFIG_FILES_MAX 1000
#define PX_CONFIG_FILE_BYTES_MAX (1024 * 1024)

/* One "ws-protocols", to be applied when all vhosts are known. */
struct px_config_block {
	const struct px_config_source *source;
	struct px_config_item item;
	char *vhost_name; /* NULL: that of vhost_index */
	size_t vhost_index;
	unsigned vhost_line;
};

/* Keys of a vhost that another file than the vhost's own gives. */
struct px_config_addition {
	const struct px_config_source *source;
	char *vhost_name;
	struct px_config_object object; /* without "ws-protocols", which is a block */
};

struct px_config_loader {
	struct px_config *config;
	struct px_config_reporter reporter;
	struct px_config_object global; /* merged from all files */
	struct px_config_addition *additions; /* in the order of their files */
	size_t addition_count;
	struct px_config_block *blocks;
	size_t block_count;
	bool incomplete; /* a file could not be parsed: do not complain of what may be in it */
};

/* ---- files.c ---- */

/* Fills config->sources with what there is to read at `path`. -errno after a complaint. */
int px_config_files_find(struct px_config_loader *loader, const char *path);

int px_config_sources_add(struct px_config *config, const char *name, const char *directory,
		const char *path, struct px_config_source **ret_source);

/*
 * Complains where the file of an absolute path, which the member gives, can be neither written nor
 * made by this process as it is now. 0 or -ENOMEM.
 */
int px_config_writable_check(struct px_config_reporter *reporter, enum px_config_level level,
		const struct px_config_member *member, const char *path);

/* ---- addition.c ---- */

/* What a file says of another file's vhost; the first two are members of the file. */
struct px_config_file_part {
	const struct px_config_member *vhost; /* its name; NULL: nothing is said */
	const struct px_config_member *protocols;
	struct px_config_object keys; /* copies of the others, to be finished by the caller */
};

/*
 * Parts the keys of a file, which are those of `table`, from those of a vhost. Which of these are
 * mistakes is seen when the vhost is read. 0 or -ENOMEM; both are to be finished in each case.
 */
int px_config_file_part(const struct px_config_object *object, const struct px_option *table,
		struct px_config_object *own, struct px_config_file_part *addition);

/* Keeps it for its vhost. `options` is NULL where the file has wrong keys. */
int px_config_addition_take(struct px_config_loader *loader, const struct px_config_source *source,
		const struct px_config_object *own, struct px_config_file_part *addition,
		const struct px_options *options);

/* The keys of one element of "vhosts", of all files; `table`: a vhost's. As for an object. */
int px_config_vhost_keys_read(struct px_config_loader *loader,
		const struct px_config_source *source, const struct px_config_item *item,
		const struct px_option *table, struct px_config_object *ret_object);

void px_config_additions_finish(struct px_config_loader *loader);

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

/* ---- tokens.c ---- */

/* Keys of "tokens" of which one has to be there, NULL behind them. */
extern const char *const px_config_tokens_proofs[];

/* Whether the environment has neither a secret nor keys for "tokens", as the file permits. */
bool px_config_tokens_left_out(const struct px_config_member *member);

/* "tokens" of a vhost. vhost->tokens stays NULL after complaints, and where they are left out. */
int px_config_tokens_read(struct px_config_loader *loader,
		const struct px_config_member *member, struct px_config_vhost *vhost);

void px_config_tokens_destroy(struct px_config_tokens *tokens);

/* ---- bus.c ---- */

/* *ret_bus stays NULL where "bus" is unset. What is wrong was complained of. -ENOMEM. */
int px_config_bus_read(struct px_config_loader *loader, const struct px_options *options,
		struct px_config_bus **ret_bus);
void px_config_bus_destroy(struct px_config_bus *bus);

/* ---- url.c, proxy.c, tls.c: keys of a vhost ---- */

int px_config_auth_url_read(struct px_config_loader *loader,
		const struct px_config_object *object, const struct px_options *options,
		struct px_config_vhost *vhost);

/*
 * The URL of a back end, as browsers would write it, with a path; *ret_url is NULL where the option
 * is unset, or after a complaint. *ret_exposed: it is http:, and not to this machine. -ENOMEM.
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

void px_config_services_finish(struct px_config_vhost *vhost);

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
