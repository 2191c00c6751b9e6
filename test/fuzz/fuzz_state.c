/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing of what a server left for the next: the input is the lines of a state, without the
 * file's frame (whose checksum a fuzzer would not get past). Whatever it says, it is taken up
 * or refused whole. What was taken up is written down again; that text must be taken up by a
 * third broker, and make the same text.
 */
#include "../unit/state_text.h"

#include <praxis/plugin.h>
#include <stdlib.h>
#include <string.h>

extern const lws_plugin_protocol_t svc_whiteboard;
extern const lws_plugin_protocol_t svc_telemedicine;

static struct fake *begin(void)
{
	struct px_limits limits = fake_limits();
	limits.channels = 20;
	limits.rooms_per_practice = 5;
	limits.grace_ms = 30000;
	limits.resume_messages = 64;
	limits.resume_bytes = 65536;
	struct fake *fake = fake_create(&limits);
	(void)fake_add_service(fake, svc_whiteboard.protocols[0].user,
			"{\"history\":8,\"board-values\":4,\"board-age-s\":3600}");
	(void)fake_add_service(fake, svc_telemedicine.protocols[0].user,
			"{\"chat-history\":3,\"room-members\":3}");
	return fake;
}

/* What was taken up can be used: somebody comes to the room and the board of the corpus. */
static void visit(struct fake *fake)
{
	struct fake_conn *conn = fake_open(fake, WHO(.authenticated = true, .user = "77"));
	fake_send(conn, "{\"type\":\"telemedicine_user_joined\",\"roomId\":\"r\",\"appointmentId\":1,"
			"\"userId\":77,\"userName\":\"n\"}");
	fake_send(conn, "{\"type\":\"whiteboard_subscribe\",\"practiceId\":1,"
			"\"since\":{\"epoch\":\"0123456789abcdef\",\"seq\":1}}");
	fake_send(conn, "{\"type\":\"whiteboard_subscribe\",\"practiceId\":1,\"state\":true}");
	fake_send(conn, "{\"type\":\"whiteboard_presence\",\"practiceId\":1}");
	fake_send(conn, "{\"type\":\"whiteboard_seen\",\"practiceId\":1,\"seq\":1}");
	fake_send(conn, "{\"type\":\"whiteboard_update\",\"practiceId\":1,\"key\":\"b\","
			"\"keep\":true}");
	fake_say(conn, "{\"type\":\"whiteboard_update\",\"practiceId\":1}");
	fake_advance(fake, 29000);
	fake_turn(fake);
}

/* What is loaded and then saved; data NULL: it was refused. */
static struct state_text pass_through(const char *data, size_t len)
{
	struct state_text saved = { 0 };
	struct px_state_counts counts;
	struct fake *fake = begin();
	if (state_text_load(fake, data, len, 0, &counts) == 0) {
		if (state_text_save(fake, &saved) < 0) {
			fake_fault("it cannot be saved");
		}
		visit(fake);
	}
	fake_destroy(fake);
	return saved;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct state_text first = pass_through((const char *)data, size);
	if (!first.data) {
		return 0;
	}
	struct state_text second = pass_through(first.data, first.len);
	if (second.len != first.len || memcmp(second.data, first.data, first.len) != 0) {
		fake_fault("what was taken up is not what was written:\n%.*s\n%.*s", (int)first.len,
				first.data, (int)second.len, second.data);
	}
	free(first.data);
	free(second.data);
	return 0;
}
