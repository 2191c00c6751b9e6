/* SPDX-License-Identifier: MIT */
/*
 * Six fixed scenarios, of which callgrind counts the instructions; counts.py compares them.
 *
 *     counts SCENARIO [--more PERCENT]     counts --toolchain
 *
 * The broker is libpraxis as it is shipped, on the tests' host without sockets, with clock and
 * random of its own: each run is the same to the instruction. Callgrind counts what is below a
 * function called measured_*, without what is below fake_on_*, which is the host: it stands where
 * libwebsockets and the kernel are. A scenario runs a few rounds before it is measured, so that
 * memory, caches and the dynamic linker's tables are as in a server that has been up for a while.
 *
 * Whatever is delivered is checked: each message of each sender once, in order, to each who must
 * have it and to nobody else. What checks is not counted.
 *
 * Rejected: counting all of praxisd under load. The kernel decides how many messages one read has,
 * and the count follows it.
 */
#include "crowd.h"
#include "token/token.h"

#include <gnu/libc-version.h>
#include <json-c/json.h>
#include <json-c/linkhash.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW_S INT64_C(1700000000)
#define SECRET "0123456789abcdef0123456789abcdef"
#define TOKEN_MAX 1024

/* Kept from being inlined, so that callgrind sees them. */
#define MEASURED __attribute__((noinline, used))

static bool is_measuring;
static unsigned done; /* rounds, warm-up included */
static struct crowd *crowd;
static struct px_jwks *keys;

/* ---- what is counted ---- */

/* What was counted before that is forgotten: the host was, without a measured_* around it. */
MEASURED static void counting_begins(void)
{
	__asm__ volatile("");
}

/* What is counted is written to a file here. */
MEASURED static void counting_ends(void)
{
	__asm__ volatile("");
}

static void receive(struct fake_conn *conn, const uint8_t *bytes, size_t len)
{
	px_session_receive(conn->session, bytes, len);
}

MEASURED static void measured_receive(struct fake_conn *conn, const uint8_t *bytes, size_t len)
{
	receive(conn, bytes, len);
}

MEASURED static void measured_turn(struct fake *fake)
{
	(void)fake_turn(fake);
}

MEASURED static void measured_lose(struct fake_conn *conn)
{
	fake_lose(conn);
}

MEASURED static struct fake_conn *measured_connect(struct fake *fake, const struct fake_who *who)
{
	return fake_connect(fake, who);
}

MEASURED static int measured_verify(const struct px_jwks *set, struct px_span text,
		struct px_token **ret_token)
{
	enum px_token_fault fault;
	return px_token_verify(set, &px_token_rules_default, text, NOW_S, ret_token, &fault);
}

/* ---- the same, counted or not ---- */

static void hear(struct member *member)
{
	const uint8_t *bytes = (const uint8_t *)member->text;
	if (is_measuring) {
		measured_receive(member->conn, bytes, member->text_len);
	} else {
		receive(member->conn, bytes, member->text_len);
	}
}

static void turn(struct fake *fake)
{
	if (is_measuring) {
		measured_turn(fake);
	} else {
		(void)fake_turn(fake);
	}
}

static void lose(struct fake_conn *conn)
{
	if (is_measuring) {
		measured_lose(conn);
	} else {
		fake_lose(conn);
	}
}

static struct fake_conn *come(const struct fake_who *who)
{
	return is_measuring ? measured_connect(crowd->fake, who) : fake_connect(crowd->fake, who);
}

/* ---- scenarios ---- */

/* As many messages as are in flight, from the members in turn, of each room; then a turn. */
static void talk(unsigned in_flight)
{
	for (unsigned room = 0; room < crowd->rooms; room++) {
		for (unsigned i = 0; i < in_flight; i++) {
			struct member *member = crowd_member(crowd, room,
					(done * in_flight + i) % crowd->size);
			crowd_say(crowd, member);
			hear(member);
		}
	}
	turn(crowd->fake);
	crowd_check(crowd);
}

static void begin_large(void)
{
	crowd = crowd_create(1, 300, CROWD_CHAT);
}

static void begin_tens(void)
{
	crowd = crowd_create(10, 10, CROWD_CHAT);
}

static void begin_pairs(void)
{
	crowd = crowd_create(50, 2, CROWD_CHAT);
}

static void begin_board(void)
{
	crowd = crowd_create(1, 10, CROWD_BOARD);
}

static void talk_16(void)
{
	talk(16);
}

/* One says something, and a turn later the other answers. */
static void talk_1(void)
{
	talk(1);
}

static void begin_resume(void)
{
	crowd = crowd_create(1, 8, CROWD_RESUME);
}

/* One loses its connection, misses some messages, and comes back for them. */
static void come_back(void)
{
	struct member *member = crowd_member(crowd, 0, done % crowd->size);
	struct fake_conn *lost = member->conn;
	struct fake_who who = crowd_who(member);
	lose(lost);
	turn(crowd->fake);
	for (unsigned i = 1; i < crowd->size; i++) {
		struct member *other = crowd_member(crowd, 0, (done + i) % crowd->size);
		crowd_say(crowd, other);
		hear(other);
	}
	turn(crowd->fake);
	who.versioned = true;
	who.resume = lost->token;
	who.received = (int64_t)member->got;
	member->conn = come(&who);
	turn(crowd->fake);
	crowd_read_resumed(member);
	fake_forget_conn(lost);
	crowd_check(crowd);
	/* Now and then a client confirms what it has, and the rest of its messages is let go of. */
	crowd_confirm(member);
	hear(member);
	turn(crowd->fake);
}

static void on_complaint(void *user, bool error, const char *text)
{
	(void)user;
	(void)error;
	fake_fault("%s", text);
}

static void begin_tokens(void)
{
	static const struct px_jwks_sink sink = { .on_complaint = on_complaint };
	const struct px_jwks_source source = { .secret = px_span(SECRET) };
	crowd = crowd_create(1, 1, CROWD_BOARD);
	if (px_jwks_create(&source, &sink, &keys) < 0) {
		fake_fault("no keys");
	}
}

/* Base64url (RFC 4648 section 5), without padding. */
static size_t put_base64(char *at, const void *bytes, size_t len)
{
	int n = EVP_EncodeBlock((unsigned char *)at, bytes, (int)len);
	while (n > 0 && at[n - 1] == '=') {
		n--;
	}
	for (int i = 0; i < n; i++) {
		at[i] = (char)(at[i] == '+' ? '-' : at[i] == '/' ? '_' : at[i]);
	}
	return (size_t)n;
}

static struct px_span put_token(char text[TOKEN_MAX], unsigned user)
{
	static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
	char claims[TOKEN_MAX / 4];
	unsigned char signature[32];
	int claims_len = snprintf(claims, sizeof(claims), "{\"sub\":\"%u\",\"name\":\"Ann Other\","
			"\"role\":\"staff\",\"practices\":[1],\"iat\":1699999000,\"exp\":1700003600,"
			"\"tenant\":\"t\"}", user);
	size_t len = put_base64(text, header, sizeof(header) - 1);
	text[len++] = '.';
	len += put_base64(text + len, claims, (size_t)claims_len);
	if (!HMAC(EVP_sha256(), SECRET, sizeof(SECRET) - 1, (unsigned char *)text, len, signature,
			NULL)) {
		fake_fault("no signature");
	}
	text[len++] = '.';
	len += put_base64(text + len, signature, sizeof(signature));
	return (struct px_span){ text, len };
}

static void verify(struct px_span text, struct px_token **ret_token)
{
	enum px_token_fault fault;
	int rc = is_measuring ? measured_verify(keys, text, ret_token) :
			px_token_verify(keys, &px_token_rules_default, text, NOW_S, ret_token,
					&fault);
	if (rc < 0) {
		fake_fault("a good token is refused");
	}
}

/* One comes with a token, is greeted as whom it says, and goes. */
static void come_and_go(void)
{
	char text[TOKEN_MAX];
	char greeting[256];
	struct px_token *token;
	unsigned user = 100 + done % 900;
	verify(put_token(text, user), &token);
	struct fake_who who = { .practices = "1", .user = token->user.text.data,
		.name = token->name.data, .role = token->role, .authenticated = true,
		.expires_ms = token->expires_s * 1000 };
	struct fake_conn *conn = come(&who);
	turn(crowd->fake);
	(void)snprintf(greeting, sizeof(greeting), "{'type':'connection_established','clientId':'%s',"
			"'user':{'userId':%u,'userName':'Ann Other','role':'staff','practices':[1]}}",
			conn->client_id, user);
	(void)fake_expect(conn, greeting);
	fake_expect_nothing(conn);
	lose(conn);
	turn(crowd->fake);
	fake_forget_conn(conn);
	px_token_destroy(token);
}

static const struct scenario {
	const char *name;
	void (*begin)(void);
	void (*round)(void);
	unsigned rounds;
} scenarios[] = {
	{ "large-room", begin_large, talk_16, 12 },
	{ "rooms-of-ten", begin_tens, talk_16, 20 },
	{ "pairs", begin_pairs, talk_1, 40 },
	{ "whiteboard", begin_board, talk_16, 40 },
	{ "resume", begin_resume, come_back, 120 },
	{ "tokens", begin_tokens, come_and_go, 200 },
};

static void run(const struct scenario *scenario, unsigned rounds)
{
	/* json-c draws the seed of its hash tables from the kernel, and chains are as it falls. */
	json_global_set_string_hash(JSON_C_STR_HASH_PERLLIKE);
	scenario->begin();
	for (unsigned i = 0; i < scenario->rounds / 4; i++, done++) {
		scenario->round();
	}
	counting_begins();
	is_measuring = true;
	for (unsigned i = 0; i < rounds; i++, done++) {
		scenario->round();
	}
	is_measuring = false;
	counting_ends();
	crowd_destroy(crowd);
	px_jwks_destroy(keys);
}

/* Counts of one toolchain can be compared with each other, and with no other's. */
static void tell_toolchain(void)
{
#ifdef __clang__
	const char *compiler = "clang " __clang_version__;
#else
	const char *compiler = "gcc " __VERSION__;
#endif
	const char *ssl = OpenSSL_version(OPENSSL_FULL_VERSION_STRING);
#ifdef __x86_64__
	const char *machine = "x86_64";
#elif defined(__aarch64__)
	const char *machine = "aarch64";
#else
	const char *machine = "other";
#endif
	(void)printf("%s, %s, glibc %s, json-c %s, OpenSSL %.3s\n", machine, compiler,
			gnu_get_libc_version(), json_c_version(), ssl);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--toolchain") == 0) {
		tell_toolchain();
		return 0;
	}
	unsigned more = argc == 4 && strcmp(argv[2], "--more") == 0 ? (unsigned)atoi(argv[3]) : 0;
	for (size_t i = 0; argc > 1 && i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		if (strcmp(scenarios[i].name, argv[1]) == 0) {
			run(&scenarios[i], scenarios[i].rounds * (100 + more) / 100);
			return 0;
		}
	}
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		(void)printf("%s\n", scenarios[i].name);
	}
	return argc > 1 ? 2 : 0;
}
