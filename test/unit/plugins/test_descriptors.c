/* SPDX-License-Identifier: MIT */
/*
 * The plugins as they were built: each file is loaded as the host loads it, and what it
 * exports is what the broker and lws expect of it. PX_PLUGINS lists the files, with ':'
 * between them; the last one is the deliberately broken one.
 */
#include "core/broker.h"

#include "fake.h"

#include <check.h>
#include <dlfcn.h>
#include <errno.h>
#include <praxis/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "praxis_svc_"

/* The service's name after its file: praxis_svc_<name>.so. */
static void name_of(const char *path, char name[64])
{
	const char *file = strrchr(path, '/');
	file = file ? file + 1 : path;
	ck_assert_int_eq(strncmp(file, PREFIX, strlen(PREFIX)), 0);
	size_t len = strcspn(file + strlen(PREFIX), ".");
	ck_assert_uint_lt(len, 64);
	memcpy(name, file + strlen(PREFIX), len);
	name[len] = '\0';
}

/* Checks the file as an lws plugin; the handle is the caller's. */
static const struct px_service *load(const char *path, void **ret_handle)
{
	char name[64];
	char symbol[80];
	name_of(path, name);
	(void)snprintf(symbol, sizeof(symbol), "svc_%s", name);
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	ck_assert_msg(handle != NULL, "%s", handle ? "" : dlerror());
	const lws_plugin_protocol_t *plugin = dlsym(handle, symbol);
	ck_assert_msg(plugin != NULL, "%s exports no %s", path, symbol);
	ck_assert_str_eq(plugin->hdr.name, symbol);
	ck_assert_str_eq(plugin->hdr._class, "lws_protocol_plugin");
	ck_assert_uint_eq(plugin->hdr.api_magic, LWS_PLUGIN_API_MAGIC);
	ck_assert_int_eq(plugin->count_protocols, 1);
	const struct lws_protocols *protocol = &plugin->protocols[0];
	ck_assert_str_eq(protocol->name, name);
	ck_assert_ptr_nonnull((void *)(uintptr_t)protocol->callback);
	ck_assert_uint_eq(protocol->per_session_data_size, PX_LWS_SESSION_BYTES);
	ck_assert_ptr_nonnull(protocol->user);
	*ret_handle = handle;
	return protocol->user;
}

/* Calls `check` for each file; `last` is set for the broken one. */
static void for_each(void (*check)(const char *path, const struct px_service *service, bool last))
{
	char list[4096];
	const char *all = getenv("PX_PLUGINS");
	ck_assert_ptr_nonnull(all);
	(void)snprintf(list, sizeof(list), "%s", all);
	char *rest = NULL;
	unsigned count = 0;
	for (char *path = strtok_r(list, ":", &rest); path; path = strtok_r(NULL, ":", &rest)) {
		void *handle;
		const struct px_service *service = load(path, &handle);
		check(path, service, rest[0] == '\0');
		(void)dlclose(handle);
		count++;
	}
	ck_assert_uint_ge(count, 4);
}

static void check_descriptor(const char *path, const struct px_service *service, bool last)
{
	char name[64];
	name_of(path, name);
	ck_assert_str_eq(service->name, name);
	ck_assert_uint_eq(service->size, sizeof(struct px_service));
	ck_assert_int_eq(service->abi == PX_SERVICE_ABI, !last);
	ck_assert_ptr_nonnull(service->summary);
	for (const struct px_option *option = service->options; option && option->key; option++) {
		ck_assert_msg(option->help && option->help[0] != '\0', "%s: %s has no help", path,
				option->key);
	}
}

START_TEST(descriptors_are_whole)
{
	for_each(check_descriptor);
}
END_TEST

static void check_table(const char *path, const struct px_service *service, bool last)
{
	size_t len = strlen(service->name);
	(void)last;
	ck_assert_uint_gt(service->command_count, 0);
	for (size_t i = 0; i < service->command_count; i++) {
		const struct px_command *command = &service->commands[i];
		ck_assert_msg(i == 0 || strcmp(command[-1].type, command->type) < 0,
				"%s: %s is not behind the one before it", path, command->type);
		ck_assert(strncmp(command->type, service->name, len) == 0 &&
				command->type[len] == '_');
		ck_assert_uint_le(strlen(command->type), 64);
		ck_assert_msg(command->handle != NULL, "%s", command->type);
		ck_assert_msg(command->roles != 0 && !(command->roles & ~(unsigned)PX_ROLES_ALL),
				"%s", command->type);
		for (const struct px_field_rule *rule = command->fields; rule && rule->name;
				rule++) {
			ck_assert_msg(rule->type <= PX_FIELD_OBJECT_OR_NULL, "%s: %s",
					command->type, rule->name);
		}
	}
}

START_TEST(tables_are_sorted_and_unique)
{
	for_each(check_table);
}
END_TEST

static void check_start(const char *path, const struct px_service *service, bool last)
{
	struct fake *fake = fake_create(NULL);
	unsigned index;
	if (last) {
		ck_assert_int_eq(px_broker_add_service(fake->broker, service, NULL, &index),
				-EINVAL);
		ck_assert_msg(strstr(fake->log, "another version of Praxis") != NULL, "%s: %s",
				path, fake->log);
	} else {
		/* The defaults alone are a working configuration. */
		fake_add_service(fake, service, NULL);
		ck_assert_ptr_nonnull(px_broker_service(fake->broker, 0));
	}
	fake_destroy(fake);
}

START_TEST(services_start_with_their_defaults)
{
	for_each(check_start);
}
END_TEST

RUN_TESTS("descriptors", descriptors_are_whole, tables_are_sorted_and_unique,
		services_start_with_their_defaults);
