/* SPDX-License-Identifier: MIT */
/*
 * "audit" of the global part: where the audit log goes, and what it is worth waiting for.
 *
 * The file itself is not opened: it is made at start, and to check a configuration must
 * not make one. But where it could not be made, that is said at once, as a start would.
 */
#include "config_internal.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

const struct px_option px_config_audit_table[] = {
	{ .key = "file", .type = PX_OPTION_STRING, .min = 1, .max = 4096,
		.help = "file of the audit log; created if missing" },
	{ .key = "sync", .type = PX_OPTION_STRING, .fallback = "none", .choices = "none|line",
		.help = "\"line\": each line is on disk before the act that it records is confirmed" },
	{ .key = "on-full", .type = PX_OPTION_STRING, .fallback = "refuse",
		.choices = "refuse|continue",
		.help = "what happens to acts while the audit log cannot be written" },
	{ .key = "refusals-per-second", .type = PX_OPTION_INT, .fallback = "100", .max = 10000,
		.help = "number of refusals per second that are recorded individually; further ones are "
				"counted; 0: all individually" },
	{ .key = "key", .type = PX_OPTION_STRING, .min = 1, .max = 4096,
		.help = "secret for the hash chain (HMAC); default: unkeyed hashes" },
	{ .key = NULL },
};

static int take_file(struct px_config_loader *loader, const struct px_config_object *object,
		const struct px_options *options, struct px_config_audit *audit)
{
	const struct px_config_member *member = px_config_object_given(object, "file");
	audit->file = px_config_path_join(member->file->directory,
			px_options_string(options, "file"));
	return audit->file ? px_config_writable_check(&loader->reporter, PX_CONFIG_ERROR, member,
			audit->file) : -ENOMEM;
}

static int take_audit(struct px_config_loader *loader, const struct px_config_object *object,
		const struct px_options *options, struct px_config_audit *audit)
{
	bool line = strcmp(px_options_string(options, "sync"), "line") == 0;
	bool refuse = strcmp(px_options_string(options, "on-full"), "refuse") == 0;
	audit->sync = line ? PX_CONFIG_SYNC_LINE : PX_CONFIG_SYNC_NONE;
	audit->on_full = refuse ? PX_CONFIG_FULL_REFUSE : PX_CONFIG_FULL_CONTINUE;
	audit->refusals_per_s = (uint32_t)px_options_int(options, "refusals-per-second");
	int r = take_file(loader, object, options, audit);
	return r < 0 ? r : px_config_secret_copy(&loader->reporter, object, options, "key",
			&audit->key);
}

int px_config_audit_read(struct px_config_loader *loader, const struct px_config_member *member,
		struct px_config_audit **ret_audit)
{
	const struct px_config_source *source = (const struct px_config_source *)member->file;
	struct px_config_item item = px_config_member_item(member);
	struct px_config_section section;
	static const char *const keys[] = { "file", "file-file", NULL };
	if (!item.value || px_config_section_left_out(member, keys)) { /* null: the table complained */
		return 0;
	}
	int r = px_config_section_read(&loader->reporter, source, &item, "\"audit\"",
			px_config_audit_table, &section);
	if (r == 0 && !px_options_given(section.options, "file")) {
		px_config_complain(&loader->reporter, PX_CONFIG_ERROR, member->file, member->line,
				"\"audit\" needs a \"file\"");
	} else if (r == 0) {
		*ret_audit = calloc(1, sizeof(**ret_audit));
		r = *ret_audit ? take_audit(loader, &section.object, section.options, *ret_audit) :
				-ENOMEM;
	}
	px_config_section_finish(&section);
	return r == -EINVAL ? 0 : r;
}

void px_config_audit_destroy(struct px_config_audit *audit)
{
	if (!audit) {
		return;
	}
	free(audit->file);
	px_config_secret_destroy(audit->key);
	free(audit);
}
