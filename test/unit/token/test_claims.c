/* SPDX-License-Identifier: MIT */
/* What a token that is good says of its bearer; and tokens that praxisctl makes. */
#include "test_verdict.h"

#include "fake.h"
#include "common/strict_json.h"

#include <json-c/json.h>

#include "../../tools/client/token.h"

/* ---- claims ---- */

START_TEST(reads_all_claims)
{
	use_rules();
	struct px_token *token = read_claims(
			"{'sub':'u-7','name':'Dr. M\xc3\xbcller',"
			"'tenant':'acme','role':'patient','practices':[1,'2','a b'],'practiceId':9,"
			"'rooms':['r1',22],'exp':1700000060.9,'jti':'j',"
			"'other':{'a':[1.5e3,true,null]}}");
	ck_span(token->user.text, "u-7");
	ck_assert(!token->user.number);
	ck_span(token->name, "Dr. M\xc3\xbcller");
	ck_span(token->tenant, "acme");
	ck_assert_int_eq(token->role, PX_ROLE_PATIENT);
	ck_assert(!token->all_practices);
	ck_assert_uint_eq(token->practice_count, 3);
	ck_span(token->practices[0].text, "1");
	ck_assert(token->practices[0].number);
	ck_span(token->practices[1].text, "2");
	ck_assert(!token->practices[1].number);
	ck_span(token->practices[2].text, "a b");
	ck_assert(token->has_rooms);
	ck_assert_uint_eq(token->room_count, 2);
	ck_span(token->rooms[1].text, "22");
	ck_assert_int_eq(token->expires_s, 1700000060);
	ck_span(token->jti, "j");
	px_token_destroy(token);

	token = read_claims("{'sub':7,'role':'admin','practiceId':'x','exp':1700000060}");
	ck_span(token->user.text, "7");
	ck_assert(token->user.number);
	ck_assert_uint_eq(token->name.len, 0);
	ck_assert_uint_eq(token->tenant.len, 0);
	ck_assert_uint_eq(token->practice_count, 1);
	ck_span(token->practices[0].text, "x");
	ck_assert(!token->has_rooms);
	ck_assert_uint_eq(token->jti.len, 0);
	px_token_destroy(token);

	token = read_claims("{'sub':'7','name':null,'role':'service','practices':null,"
			"'practiceId':null,'exp':1700000060,'rooms':[]}");
	ck_assert_uint_eq(token->practice_count, 0);
	ck_assert(!token->all_practices);
	ck_assert(token->has_rooms);
	ck_assert_uint_eq(token->room_count, 0);
	px_token_destroy(token);
}
END_TEST

START_TEST(keeps_the_digits_of_ids)
{
	use_rules();
	static const char *const numbers[] = { "0", "-7", "9007199254740993",
		"9223372036854775807", "9223372036854775808", "18446744073709551615",
		"123456789012345678901234567890" };
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		char *claims = format("{'sub':%s,'role':'staff','practices':[%s],'exp':1700000060}",
				numbers[i], numbers[i]);
		struct px_token *token = read_claims(claims);
		ck_span(token->user.text, numbers[i]);
		ck_span(token->practices[0].text, numbers[i]);
		ck_assert(token->practices[0].number);
		px_token_destroy(token);
		free(claims);
	}
}
END_TEST

START_TEST(refuses_what_json_c_clamped)
{
	static const char *const texts[] = {
		"{\"sub\":99999999999999999999999,\"role\":\"staff\"}",
		"{\"sub\":-99999999999999999999999,\"role\":\"staff\"}",
	};
	struct px_claim_names names = PX_CLAIM_NAMES_DEFAULT;
	for (size_t i = 0; i < 2; i++) {
		struct px_token *token = NULL;
		const char *claim = NULL;
		struct json_object *claims = json_tokener_parse(texts[i]);
		ck_assert_ptr_nonnull(claims);
		ck_assert_int_eq(px_claims_read(claims, &names, 0, &token, &claim), -EINVAL);
		ck_assert_str_eq(claim, "sub");
		json_object_put(claims);
	}
}
END_TEST

START_TEST(refuses_wrong_claims)
{
	use_rules();
	static const struct {
		const char *claims;
		const char *wrong;
	} cases[] = {
		{ "'role':'staff'", "sub" },
		{ "'sub':null,'role':'staff'", "sub" },
		{ "'sub':'','role':'staff'", "sub" },
		{ "'sub':true,'role':'staff'", "sub" },
		{ "'sub':1.0,'role':'staff'", "sub" },
		{ "'sub':1e3,'role':'staff'", "sub" },
		{ "'sub':-0,'role':'staff'", "sub" },
		{ "'sub':['7'],'role':'staff'", "sub" },
		{ "'sub':'a\\nb','role':'staff'", "sub" },
		{ "'sub':'7'", "role" },
		{ "'sub':'7','role':null", "role" },
		{ "'sub':'7','role':'root'", "role" },
		{ "'sub':'7','role':'Staff'", "role" },
		{ "'sub':'7','role':''", "role" },
		{ "'sub':'7','role':2", "role" },
		{ "'sub':'7','role':['staff']", "role" },
		{ "'sub':'7','role':'staff','name':7", "name" },
		{ "'sub':'7','role':'staff','name':'a\\tb'", "name" },
		{ "'sub':'7','role':'staff','tenant':null", "tenant" },
		{ "'sub':'7','role':'staff','tenant':''", "tenant" },
		{ "'sub':'7','role':'staff','tenant':7", "tenant" },
		{ "'sub':'7','role':'staff','practices':{'0':1,'length':1}", "practices" },
		{ "'sub':'7','role':'staff','practices':{}", "practices" },
		{ "'sub':'7','role':'staff','practices':'1'", "practices" },
		{ "'sub':'7','role':'staff','practices':1", "practices" },
		{ "'sub':'7','role':'staff','practices':[null]", "practices" },
		{ "'sub':'7','role':'staff','practices':[[1]]", "practices" },
		{ "'sub':'7','role':'staff','practices':[1,1.5]", "practices" },
		{ "'sub':'7','role':'staff','practices':['']", "practices" },
		{ "'sub':'7','role':'staff','practices':['a\\u0001']", "practices" },
		{ "'sub':'7','role':'staff','practices':['*',1]", "practices" },
		{ "'sub':'7','role':'staff','practices':['*','*']", "practices" },
		{ "'sub':'7','role':'patient','practices':['*']", "practices" },
		{ "'sub':'7','role':'staff','practiceId':'*'", "practiceId" },
		{ "'sub':'7','role':'staff','practiceId':[1]", "practiceId" },
		{ "'sub':'7','role':'staff','practiceId':''", "practiceId" },
		{ "'sub':'7','role':'staff','rooms':null", "rooms" },
		{ "'sub':'7','role':'staff','rooms':'r'", "rooms" },
		{ "'sub':'7','role':'staff','rooms':{}", "rooms" },
		{ "'sub':'7','role':'staff','rooms':[{}]", "rooms" },
		{ "'sub':'7','role':'staff','jti':7", "jti" },
		{ "'sub':'7','role':'staff','jti':null", "jti" },
	};
	struct px_claim_names names = PX_CLAIM_NAMES_DEFAULT;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *claims = format("{%s,'exp':1700000060}", cases[i].claims);
		ck_assert_msg(verdict_on_claims(claims) == PX_TOKEN_CLAIMS, "%s", claims);

		struct px_token *token = NULL;
		const char *claim = NULL;
		struct json_object *object = NULL;
		char *text = quoted(claims);
		ck_assert_int_eq(px_strict_json_parse(px_span(text), &object), 0);
		ck_assert_int_eq(px_claims_read(object, &names, 0, &token, &claim), -EINVAL);
		ck_assert_str_eq(claim, cases[i].wrong);
		ck_assert_int_eq(px_claims_read(object, &names, 0, &token, NULL), -EINVAL);
		ck_assert_ptr_null(token);
		json_object_put(object);
		free(text);
		free(claims);
	}
}
END_TEST

START_TEST(refuses_duplicate_claims)
{
	use_rules();
	static const char *const cases[] = {
		"{'sub':'7','sub':'8','role':'staff','exp':1700000060}",
		"{'sub':'7','role':'staff','role':'admin','exp':1700000060}",
		"{'sub':'7','role':'staff','\\u0072ole':'admin','exp':1700000060}",
		"{'sub':'7','role':'staff','exp':1600000000,'exp':1700000060}",
		"{'sub':'7','role':'staff','exp':1700000060,'x':1,'x':1}",
		"{'sub':'7','role':'staff','exp':1700000060,'x':[{'y':{'z':1,'z':2}}]}",
		"{'sub':'7','role':'staff','exp':1700000060,'':1,'':2}",
		"{'sub\\u0000':'7','sub':'8','role':'staff','exp':1700000060}",
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_msg(verdict_on_claims(cases[i]) == PX_TOKEN_PAYLOAD, "%s", cases[i]);
	}
	static const char *const no_object[] = { "[]", "'x'", "1", "null", "", "{", "\xff" };
	for (size_t i = 0; i < sizeof(no_object) / sizeof(no_object[0]); i++) {
		ck_assert_msg(verdict_on_claims(no_object[i]) != GOOD, "%s", no_object[i]);
	}
}
END_TEST

/* Claims with `count` practices or rooms. */
static char *many(const char *list, size_t count, size_t id_len)
{
	size_t room = count * (id_len + 4) + 256;
	char *text = malloc(room);
	char *at = text + snprintf(text, room, "{'sub':'7','role':'staff','exp':1700000060,'%s':[",
			list);
	for (size_t i = 0; i < count; i++) {
		at += snprintf(at, 16, "%s'%0*zu'", i > 0 ? "," : "", 0, i);
	}
	strcpy(at, "]}");
	return text;
}

START_TEST(limits_practices_and_rooms)
{
	use_rules();
	rules.max_bytes = PX_TOKEN_BYTES_MAX;
	static const char *const lists[] = { "practices", "rooms" };
	for (size_t i = 0; i < 2; i++) {
		static const struct {
			size_t count;
			int verdict;
		} cases[] = { { 1000, GOOD }, { 1001, PX_TOKEN_CLAIMS },
			{ 10000, PX_TOKEN_CLAIMS } };
		for (size_t k = 0; k < 3; k++) {
			char *claims = many(lists[i], cases[k].count, 8);
			ck_assert_int_eq(verdict_on_claims(claims), cases[k].verdict);
			free(claims);
		}
	}
	rules.max_bytes = 16384;
	char *claims = many("practices", 10000, 8);
	ck_assert_int_eq(verdict_on_claims(claims), PX_TOKEN_TOO_LONG);
	free(claims);
}
END_TEST

START_TEST(limits_texts)
{
	use_rules();
	static const struct {
		const char *before;
		const char *after;
		int max;
	} cases[] = {
		{ "'role':'staff','sub':'", "'", PX_ID_MAX },
		{ "'role':'staff','sub':'7','name':'", "'", PX_NAME_MAX },
		{ "'role':'staff','sub':'7','tenant':'", "'", PX_ID_MAX },
		{ "'role':'staff','sub':'7','practices':['", "']", PX_ID_MAX },
		{ "'role':'staff','sub':'7','practiceId':'", "'", PX_ID_MAX },
		{ "'role':'staff','sub':'7','rooms':['", "']", PX_ID_MAX },
		{ "'role':'staff','sub':'7','jti':'", "'", PX_JTI_MAX },
	};
	char filler[512];
	memset(filler, 'x', sizeof(filler));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int over = 0; over < 2; over++) {
			char *claims = format("{'exp':1700000060,%s%.*s%s}", cases[i].before,
					cases[i].max + over, filler, cases[i].after);
			ck_assert_msg(verdict_on_claims(claims) == (over ? PX_TOKEN_CLAIMS : GOOD),
					"%s", claims);
			free(claims);
		}
	}
}
END_TEST

START_TEST(takes_all_practices)
{
	use_rules();
	struct px_token *token = read_claims(
			"{'sub':'7','role':'admin','practices':['*'],'exp':1700000060}");
	ck_assert(token->all_practices);
	ck_assert_uint_eq(token->practice_count, 0);
	px_token_destroy(token);
	token = read_claims("{'sub':'7','role':'admin','practices':[],'exp':1700000060}");
	ck_assert(!token->all_practices);
	px_token_destroy(token);
}
END_TEST

START_TEST(takes_other_names_and_a_default_role)
{
	use_rules();
	rules.names.practices = "https://example.org/practices";
	rules.names.role = "https://example.org/role";
	rules.names.sub = "uid";
	struct px_token *token = read_claims("{'sub':'x','uid':5,'role':'admin','practices':[9],"
			"'https://example.org/role':'patient','exp':1700000060,"
			"'https:\\/\\/example.org\\/practices':[1,2]}");
	ck_span(token->user.text, "5");
	ck_assert_int_eq(token->role, PX_ROLE_PATIENT);
	ck_assert_uint_eq(token->practice_count, 2);
	px_token_destroy(token);
	ck_assert_int_eq(verdict_on_claims("{'uid':5,'role':'admin','exp':1700000060}"),
			PX_TOKEN_CLAIMS);
	rules.default_role = PX_ROLE_STAFF;
	token = read_claims("{'uid':5,'role':'admin','exp':1700000060}");
	ck_assert_int_eq(token->role, PX_ROLE_STAFF);
	px_token_destroy(token);
	ck_assert_int_eq(verdict_on_claims("{'uid':5,'https://example.org/role':'x',"
			"'exp':1700000060}"), PX_TOKEN_CLAIMS);
}
END_TEST

/* ---- minting ---- */

static char *minted(const struct px_mint *mint, const char *expected_wrong)
{
	char *token = NULL;
	const char *wrong = NULL;
	int rc = px_mint_token(mint, &token, &wrong);
	ck_assert_int_eq(rc, expected_wrong ? -EINVAL : 0);
	if (expected_wrong) {
		ck_assert_str_eq(wrong, expected_wrong);
		ck_assert_ptr_null(token);
	}
	return token;
}

START_TEST(mints_tokens)
{
	use_rules();
	static const char *const practices[] = { "1", "007", "12345678901234567890", "x" };
	static const char *const rooms[] = { "r" };
	struct px_mint mint = {
		.secret = px_span(SECRET),
		.user = "7",
		.role = "patient",
		.name = "M\xc3\xbcller \"A\"/B",
		.tenant = "acme",
		.issuer = "i",
		.audience = "a",
		.practices = practices,
		.practice_count = 4,
		.rooms = rooms,
		.room_count = 1,
		.now_s = NOW,
		.ttl_s = 60,
	};
	struct px_jwks *keys = secret_keys();
	struct px_token *token = NULL;
	char *text = minted(&mint, NULL);
	rules.issuer = "i";
	rules.audience = "a";
	ck_assert_int_eq(verdict_of(keys, px_span(text), &token), GOOD);
	ck_span(token->user.text, "7");
	ck_assert(!token->user.number);
	ck_span(token->name, mint.name);
	ck_span(token->tenant, "acme");
	ck_assert_int_eq(token->role, PX_ROLE_PATIENT);
	ck_assert_uint_eq(token->practice_count, 4);
	ck_assert(token->practices[0].number);
	for (size_t i = 0; i < 4; i++) {
		ck_span(token->practices[i].text, practices[i]);
		ck_assert(i == 0 || !token->practices[i].number);
	}
	ck_assert_uint_eq(token->room_count, 1);
	ck_assert_int_eq(token->expires_s, NOW + 60);
	px_token_destroy(token);
	free(text);

	struct px_mint bare = { .secret = px_span(SECRET), .user = "u", .role = "admin",
		.kid = "k", .now_s = NOW };
	use_rules();
	ck_assert_int_eq(verdict(keys, minted(&bare, NULL)), PX_TOKEN_UNKNOWN_KEY);
	bare.kid = NULL;
	ck_assert_int_eq(verdict(keys, minted(&bare, NULL)), PX_TOKEN_NO_EXPIRY);
	rules.require_exp = false;
	ck_assert_int_eq(verdict(keys, minted(&bare, NULL)), GOOD);
	px_jwks_destroy(keys);
}
END_TEST

START_TEST(mints_nothing_wrong)
{
	static const char *const bad_ids[] = { "a\nb" };
	struct px_mint good = { .secret = px_span(SECRET), .user = "u", .role = "admin",
		.now_s = NOW, .ttl_s = 1 };
	struct px_mint mint = good;
	mint.secret.len = 0;
	minted(&mint, "secret");
	mint = good;
	mint.kid = "\xff";
	minted(&mint, "kid");
	mint = good;
	mint.user = NULL;
	minted(&mint, "user");
	mint.user = "";
	minted(&mint, "user");
	mint.user = "\x01";
	minted(&mint, "user");
	mint = good;
	mint.role = NULL;
	minted(&mint, "role");
	mint.role = "root";
	minted(&mint, "role");
	mint = good;
	mint.practices = bad_ids;
	mint.practice_count = 1;
	minted(&mint, "practice");
	mint = good;
	mint.rooms = bad_ids;
	mint.room_count = 1;
	minted(&mint, "room");
	mint = good;
	mint.name = "\xff";
	minted(&mint, "name");
	mint = good;
	mint.tenant = "\n";
	minted(&mint, "tenant");
	mint = good;
	mint.issuer = "\n";
	minted(&mint, "issuer");
	mint = good;
	mint.audience = "\n";
	minted(&mint, "audience");
}
END_TEST

START_TEST(reads_ttls)
{
	static const struct {
		const char *text;
		int64_t seconds; /* 0: refused */
	} cases[] = {
		{ "90s", 90 }, { "30m", 1800 }, { "1h", 3600 }, { "7d", 604800 },
		{ "3653d", 315619200 }, { "3654d", 0 }, { "0s", 0 }, { "", 0 }, { "s", 0 },
		{ "1", 0 }, { "-1h", 0 }, { "1h ", 0 }, { " 1h", 0 }, { "1hh", 0 }, { "1w", 0 },
		{ "1.5h", 0 }, { "1H", 0 }, { "99999999999999999999s", 0 }, { "0x1s", 0 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t seconds = 0;
		int rc = px_mint_parse_ttl(cases[i].text, &seconds);
		ck_assert_msg(rc == (cases[i].seconds ? 0 : -EINVAL), "%s", cases[i].text);
		ck_assert_int_eq(seconds, cases[i].seconds);
	}
}
END_TEST

RUN_TESTS("claims", reads_all_claims, keeps_the_digits_of_ids, refuses_what_json_c_clamped,
		refuses_wrong_claims, refuses_duplicate_claims, limits_practices_and_rooms,
		limits_texts, takes_all_practices, takes_other_names_and_a_default_role, mints_tokens,
		mints_nothing_wrong, reads_ttls);
