/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing of what nodes say to each other. The input is frames, each with two bytes of length
 * before it; an odd length is for the practice's home, an even one for its edge. Each has a client
 * there. Whatever they hear, neither fails, and who comes then is served.
 */
#include "../sim/sim_bus.h"
#include "../unit/fake.h"

#include <praxis/plugin.h>
#include <stdlib.h>
#include <string.h>

enum { NODES = 2 };

struct node {
	struct fake *fake;
	struct sim_link link;
};

extern const lws_plugin_protocol_t svc_whiteboard;
extern const lws_plugin_protocol_t svc_telemedicine;

static struct node nodes[NODES];

static void begin(struct node *node, struct sim_store *store, uint64_t number)
{
	node->fake = fake_create(NULL);
	node->fake->random ^= number * 0x9e3779b97f4a7c15u;
	(void)fake_add_service(node->fake, svc_whiteboard.protocols[0].user, NULL);
	(void)fake_add_service(node->fake, svc_telemedicine.protocols[0].user, NULL);
	sim_link_begin(&node->link, store, node->fake->broker, number);
	node->link.realm = &node->fake->realm;
}

static bool move(struct node *node)
{
	while (fake_turn(node->fake)) {
	}
	return sim_link_execute(&node->link) || sim_link_answer(&node->link) ||
			sim_link_hear(&node->link, 0);
}

static void settle(void)
{
	while (move(&nodes[0]) || move(&nodes[1])) {
	}
}

static struct fake_conn *visit(struct node *node)
{
	struct fake_conn *conn = fake_connect(node->fake, WHO(.practices = "1", .user = "7",
			.authenticated = true));
	fake_send(conn, "{\"type\":\"whiteboard_subscribe\",\"practiceId\":1}");
	fake_send(conn, "{\"type\":\"telemedicine_user_joined\",\"roomId\":\"r\",\"appointmentId\":1,"
			"\"userId\":7,\"userName\":\"n\"}");
	settle();
	return conn;
}

/* Copied, so that a sanitizer sees who reads beyond it. */
static void hear(struct node *node, const uint8_t *data, size_t len)
{
	char *copy = malloc(len > 0 ? len : 1);
	if (!copy) {
		abort();
	}
	memcpy(copy, data, len);
	px_broker_bus_heard(node->fake->broker, (struct px_span){ copy, len });
	free(copy);
	settle();
}

/* Long enough for everything that is tried again. */
static void let_time_pass(void)
{
	for (unsigned i = 0; i < 20; i++) {
		fake_advance(nodes[0].fake, 300);
		fake_advance(nodes[1].fake, 300);
		settle();
	}
}

static bool is_served(struct fake_conn *conn)
{
	const struct fake_frame *frame;
	while ((frame = fake_next(conn))) {
		if (strstr(fake_frame_text(conn, frame), "\"id\":\"last\"")) {
			return true;
		}
	}
	return false;
}

/*
 * The clients of before may have been closed: a home that lies to its edge may do that. It may also
 * say that it is none, which makes the edge the home.
 */
static void check(void)
{
	let_time_pass();
	struct fake_conn *conn = visit(&nodes[0]);
	let_time_pass();
	fake_send(conn, "{\"type\":\"whiteboard_update\",\"practiceId\":1,\"id\":\"last\"}");
	settle();
	let_time_pass();
	if (conn->close_code == FAKE_OPEN && !is_served(conn)) {
		fake_fault("a client is not served any more");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sim_store *store = calloc(1, sizeof(*store));
	if (!store) {
		abort();
	}
	begin(&nodes[0], store, 1);
	begin(&nodes[1], store, 2);
	(void)visit(&nodes[0]);
	(void)visit(&nodes[1]);
	while (size >= 2) {
		size_t len = (size_t)data[0] << 8 | data[1];
		data += 2;
		size -= 2;
		size_t most = len < size ? len : size;
		hear(&nodes[len % 2 == 1 ? 0 : 1], data, most);
		data += most;
		size -= most;
	}
	check();
	for (size_t i = 0; i < NODES; i++) {
		sim_link_end(&nodes[i].link);
		fake_abandon(nodes[i].fake);
	}
	sim_store_finish(store);
	free(store);
	return 0;
}
