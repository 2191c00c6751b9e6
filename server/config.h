/* SPDX-License-Identifier: MIT */
/*
 * The configuration of praxisd, read and checked as a whole (docs/configuration.md).
 *
 * px_config_load() starts nothing and changes nothing: it turns a directory into one tree of
 * structs, or into complaints, all of them at once. What comes out needs no further checking,
 * but for the options of a service: their table is known once its plugin is loaded, and
 * px_config_check_options() is for that moment.
 *
 * Loading keeps no state, so that a reload is another load beside the configuration in use.
 * Rejected: a reader that fills the running server's settings while it parses, which is
 * shorter but leaves half a configuration behind a bad file.
 */
#ifndef PX_CONFIG_H
#define PX_CONFIG_H

#include <praxis/option.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct json_object;
struct px_config_source;

enum px_config_level {
	PX_CONFIG_ERROR,
	PX_CONFIG_WARNING,
};

/* Errors shown of one load; the rest is counted. */
#define PX_CONFIG_ERRORS_MAX 20

/* Where complaints go: one line each, "conf.d/10-echo.json:12: sentence", without line end. */
struct px_config_sink {
	void (*on_complaint)(void *user, enum px_config_level level, const char *text);
	void *user;
};

/* A file that was read. */
struct px_config_file {
	char *name;      /* as complaints have it: "conf.d/10-echo.json" */
	char *directory; /* absolute; relative paths in the file start here */
};

/* One key and its value, after substitution, and where it stands. */
struct px_config_member {
	char *key;
	struct json_object *value; /* NULL is JSON's null */
	const struct px_config_file *file;
	unsigned line;

	/* private to the reader */
	size_t node;
	bool void_value;
};

/* The members of one object, or of several merged ones. No key comes twice. */
struct px_config_object {
	struct px_config_member *members;
	size_t count;
};

struct px_config_global {
	char **plugin_dirs; /* absolute */
	size_t plugin_dir_count;
	int log_level;      /* PX_LOG_ERROR … PX_LOG_DEBUG */
	uint32_t max_connections; /* 0: what RLIMIT_NOFILE allows */
	uint32_t max_message_bytes;
	uint32_t queue_bytes;
	uint32_t max_rooms_per_session;
	uint32_t max_channels;
	uint32_t send_buffer_bytes;
	int64_t heartbeat_ms;
	int64_t drain_ms;
	int64_t drain_deadline_ms;
	int64_t slow_close_ms;
};

struct px_config_address {
	struct sockaddr_storage address; /* with the port in it */
	socklen_t length;

	/*
	 * One of the two families of "localhost" or "*": that this machine does not have it is
	 * no error, as long as one address of the vhost could be had. IPv6 "*" is meant without
	 * IPv4 in it (IPV6_V6ONLY), which has an entry of its own.
	 */
	bool optional;
};

struct px_config_mount {
	char *mountpoint;
	char *origin; /* absolute path of a directory that was there */
	char *index;  /* the file served for the directory itself */
	uint32_t cache_max_age_s;
};

/* All headers of a vhost together, as lines of a response, are shorter than this. */
#define PX_CONFIG_HEADER_BYTES 4096

struct px_config_header {
	char *name; /* without a colon */
	char *value;
};

/* What a vhost says of one service. */
struct px_config_service {
	char *name;
	bool enabled;
	const struct px_config_file *file; /* the last that sets it up */
	unsigned line;
	struct px_config_object options; /* unchecked; see px_config_check_options() */
};

enum px_config_open_mode {
	PX_CONFIG_OPEN_LOOPBACK, /* every address of the vhost is a loopback address */
	PX_CONFIG_OPEN_INSECURE,
};

struct px_config_vhost {
	char *name;
	uint16_t port; /* 0: any free one */
	struct px_config_address *addresses;
	size_t address_count;
	char *tenant;
	char *path;
	enum px_config_open_mode open_mode;
	char *open_practice; /* NULL: none */
	bool open_practice_is_number;
	struct px_config_mount *mounts;
	size_t mount_count;
	struct px_config_header *headers;
	size_t header_count;
	struct px_config_service *services;
	size_t service_count;
	const struct px_config_file *file;
	unsigned line;
};

struct px_config {
	struct px_config_global global;
	struct px_config_vhost *vhosts; /* at least one */
	size_t vhost_count;

	/* private to the reader */
	struct px_config_source **sources;
	size_t source_count;
};

/*
 * Reads the directory (or file) at `path`. 0, and *ret_config is the caller's until
 * px_config_destroy(); -EINVAL after at least one error went to the sink; -ENOENT, -EACCES …
 * when there is nothing to read at `path`, which the sink is told, too; -ENOMEM.
 * Warnings alone do not fail.
 */
int px_config_load(const char *path, const struct px_config_sink *sink,
		struct px_config **ret_config);

/*
 * The same for one text instead of files: `name` is what complaints call it, `directory`
 * (absolute) is where its relative paths start.
 */
int px_config_load_text(const char *directory, const char *name, const char *text, size_t length,
		const struct px_config_sink *sink, struct px_config **ret_config);

void px_config_destroy(struct px_config *config);

/*
 * The options of a service, which are the same in every vhost that has it enabled: the
 * first such vhost's entry, or NULL where none has. The configuration's.
 */
const struct px_config_service *px_config_find_service(const struct px_config *config,
		const char *name);

/*
 * Checks the options of a service against its table (NULL: it takes none), reading the files
 * of `<key>-file` on the way. 0, and *ret_options is the caller's until px_options_destroy(),
 * independent of the configuration; -EINVAL after complaints; -ENOMEM.
 */
int px_config_check_options(const struct px_config_service *service,
		const struct px_option *table, const struct px_config_sink *sink,
		struct px_options **ret_options);

/* The reader's own tables: "" (a file), "global", "vhosts", "mounts". NULL: no such. */
const struct px_option *px_config_table(const char *object);

#endif
