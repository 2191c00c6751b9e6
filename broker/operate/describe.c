/* SPDX-License-Identifier: MIT */
/*
 * The operator's overview: totals, services, configuration. A server administrator gets the whole
 * server's; an administrator of single practices gets the figures of these.
 */
#include "operate.h"
#include "core/broker.h"
#include "core/identity.h"
#include "core/practice.h"
#include "core/service.h"
#include "core/session.h"

/* Practices that are listed individually. */
#define PRACTICES_SHOWN 100

static const char *const field_types[] = {
	[PX_FIELD_ID] = "id",
	[PX_FIELD_STRING] = "string",
	[PX_FIELD_NAME] = "name",
	[PX_FIELD_INTEGER] = "integer",
	[PX_FIELD_BOOL] = "boolean",
	[PX_FIELD_OBJECT] = "object",
	[PX_FIELD_OBJECT_OR_NULL] = "object or null",
};

static void describe(const struct px_operator *operator, enum px_description what,
		const struct px_service *service, struct px_json *json)
{
	const struct px_broker_host *host = &operator->broker->host;
	if (host->describe) {
		host->describe(host->user, operator, what, service, json);
	}
}

void px_operate_write_server(const struct px_operator *operator, struct px_json *json)
{
	px_json_open_object(json, "server");
	px_json_int(json, "time", operator->broker->wall_ms);
	describe(operator, PX_DESCRIBE_SERVER, NULL, json);
	px_json_close_object(json);
}

struct sums {
	uint64_t clients;
	uint64_t rooms;
	uint64_t published;
};

static void write_sums(const struct sums *sums, struct px_json *json)
{
	px_json_int(json, "clients", (int64_t)sums->clients);
	px_json_int(json, "rooms", (int64_t)sums->rooms);
	px_json_int(json, "published", (int64_t)sums->published);
}

static struct sums sums_of(const struct px_practice *practice)
{
	return (struct sums){
		.clients = practice->clients,
		.rooms = practice->rooms - practice->waiting_rooms,
		.published = practice->published,
	};
}

static void write_practices(const struct px_operator *operator, struct px_json *json)
{
	const struct px_identity *identity = operator->identity;
	struct sums all = { 0 };
	px_json_open_array(json, "practices");
	for (uint32_t i = 0; i < identity->practice_count; i++) {
		const struct px_held *held = &identity->practices[i];
		struct sums sums = sums_of(held->practice);
		all.clients += sums.clients;
		all.rooms += sums.rooms;
		all.published += sums.published;
		if (i < PRACTICES_SHOWN) {
			px_json_open_object(json, NULL);
			px_json_id(json, "practiceId", (struct px_id){
				px_span(held->practice->id), held->number });
			write_sums(&sums, json);
			px_json_close_object(json);
		}
	}
	px_json_close_array(json);
	px_json_open_object(json, "totals");
	write_sums(&all, json);
	px_json_close_object(json);
}

void px_operate_write_totals(const struct px_operator *operator, struct px_json *json)
{
	bool is_server_admin = px_operator_is_server_admin(operator);
	px_json_text(json, "scope", is_server_admin ? "server" : "practices");
	if (!is_server_admin) {
		write_practices(operator, json);
		return;
	}
	px_json_open_object(json, "totals");
	describe(operator, PX_DESCRIBE_TOTALS, NULL, json);
	px_json_close_object(json);
}

static void write_command(const struct px_command *command, struct px_json *json)
{
	px_json_open_object(json, NULL);
	px_json_text(json, "type", command->type);
	px_json_open_array(json, "roles");
	for (unsigned role = PX_ROLE_STAFF; role <= PX_ROLE_ADMIN; role <<= 1) {
		if (command->roles & role) {
			px_json_text(json, NULL, px_role_name(role));
		}
	}
	px_json_close_array(json);
	px_json_open_array(json, "fields");
	for (const struct px_field_rule *rule = command->fields; rule && rule->name; rule++) {
		px_json_open_object(json, NULL);
		px_json_text(json, "name", rule->name);
		px_json_text(json, "kind", field_types[rule->type]);
		px_json_bool(json, "required", !rule->optional);
		px_json_close_object(json);
	}
	px_json_close_array(json);
	px_json_close_object(json);
}

/* Sessions with the service, without the operator's own. */
static int64_t others_of(const struct px_operator *operator, unsigned service)
{
	const struct px_session *own = operator->session;
	bool has = own && own->opened & UINT32_C(1) << service && px_session_may_use(own, service);
	return (int64_t)operator->realm->users[service] - (has ? 1 : 0);
}

static void write_service(const struct px_operator *operator, unsigned index, struct px_json *json)
{
	const struct px_service *service = operator->broker->services[index].service;
	px_json_open_object(json, NULL);
	px_json_text(json, "name", service->name);
	px_json_text(json, "summary", service->summary);
	px_service_write_prefixes(service, json);
	px_json_bool(json, "enabled", operator->realm->enabled & UINT32_C(1) << index);
	px_json_bool(json, "loaded", true);
	px_json_open_array(json, "messages");
	for (size_t i = 0; i < service->command_count; i++) {
		write_command(&service->commands[i], json);
	}
	px_json_close_array(json);
	if (px_operator_is_server_admin(operator)) {
		px_json_int(json, "clients", others_of(operator, index));
		px_json_int(json, "members", operator->realm->members[index]);
		px_json_open_object(json, "options");
		describe(operator, PX_DESCRIBE_OPTIONS, service, json);
		px_json_close_object(json);
	}
	px_json_close_object(json);
}

void px_operate_write_services(const struct px_operator *operator, struct px_json *json)
{
	const struct px_broker *broker = operator->broker;
	const struct px_realm *realm = operator->realm;
	px_json_open_array(json, "services");
	for (unsigned i = 0; i < broker->service_count; i++) {
		write_service(operator, i, json);
	}
	for (size_t i = 0; i < realm->disabled_count; i++) {
		/* Disabled when the server started, so it was never loaded. */
		if (!px_broker_find_service(broker, px_span(realm->disabled[i]), NULL)) {
			px_json_open_object(json, NULL);
			px_json_text(json, "name", realm->disabled[i]);
			px_json_bool(json, "enabled", false);
			px_json_bool(json, "loaded", false);
			px_json_close_object(json);
		}
	}
	px_json_close_array(json);
}

int px_operate_write_config(const struct px_operator *operator, struct px_json *json,
		struct px_error_detail *ret_detail)
{
	if (!px_operator_is_server_admin(operator)) {
		return px_deny(ret_detail, PX_E_FORBIDDEN, NULL,
				"Only server administrators may read the configuration.");
	}
	px_json_open_object(json, "config");
	describe(operator, PX_DESCRIBE_CONFIG, NULL, json);
	px_json_close_object(json);
	return 0;
}

int px_operate_write_history(const struct px_operator *operator, struct px_json *json,
		struct px_error_detail *ret_detail)
{
	if (!px_operator_is_server_admin(operator)) {
		return px_deny(ret_detail, PX_E_FORBIDDEN, NULL,
				"Only server administrators may read the server's figures.");
	}
	describe(operator, PX_DESCRIBE_HISTORY, NULL, json);
	return 0;
}

int px_operate_write_locks(const struct px_operator *operator, struct px_json *json,
		struct px_error_detail *ret_detail)
{
	if (!px_operator_is_server_admin(operator)) {
		return px_deny(ret_detail, PX_E_FORBIDDEN, NULL,
				"Only server administrators may list locked addresses.");
	}
	describe(operator, PX_DESCRIBE_LOCKS, NULL, json);
	return 0;
}
