/* SPDX-License-Identifier: MIT */
/* See scan_portable.h. */
#define PX_PLAIN_PORTABLE
#define px_scan_has_nul portable_scan_has_nul
#define px_scan_string portable_scan_string
#define px_scan_utf8 portable_scan_utf8
#define px_scan_value portable_scan_value
#include "../../../broker/message/scan.c"
#undef px_scan_has_nul
#undef px_scan_string
#undef px_scan_utf8
#undef px_scan_value

#include <stdio.h>
#include <stdlib.h>

_Static_assert(PX_PLAIN_STEP == 1, "one byte at a time");

/* The names that scan.h declared here are the portable ones'. */
int px_scan_string(struct px_scan *scan, bool *ret_escaped);
int px_scan_value(struct px_scan *scan, unsigned depth, enum px_kind *ret_kind,
		bool *ret_escaped);
int portable_scan_string(struct px_scan *scan, bool *ret_escaped);
void compare_scans(const uint8_t *text, size_t len);

struct outcome {
	int rc;
	const uint8_t *at;
	enum px_kind kind;
	bool escaped;
	bool nul_name;
};

static void must_agree(const struct outcome *fast, const struct outcome *portable)
{
	/* What was found before a fault does not count. */
	if (fast->rc != portable->rc || fast->at != portable->at || (fast->rc == 0 &&
			(fast->kind != portable->kind || fast->escaped != portable->escaped ||
			fast->nul_name != portable->nul_name))) {
		(void)fprintf(stderr, "scans differ: %d and %d, %td bytes apart\n", fast->rc,
				portable->rc, fast->at - portable->at);
		abort();
	}
}

static struct outcome scanned(const uint8_t *text, size_t len,
		int (*scan_value)(struct px_scan *, unsigned, enum px_kind *, bool *))
{
	struct outcome outcome = { .kind = PX_ABSENT };
	struct px_scan scan = { .at = text, .end = text + len };
	outcome.rc = scan_value(&scan, 0, &outcome.kind, &outcome.escaped);
	outcome.at = scan.at;
	outcome.nul_name = scan.nul_name;
	return outcome;
}

static struct outcome scanned_string(const uint8_t *text, size_t len,
		int (*scan_string)(struct px_scan *, bool *))
{
	struct outcome outcome = { .kind = PX_STRING };
	struct px_scan scan = { .at = text, .end = text + len };
	outcome.rc = scan_string(&scan, &outcome.escaped);
	outcome.at = scan.at;
	return outcome;
}

void compare_scans(const uint8_t *text, size_t len)
{
	struct outcome fast = scanned(text, len, px_scan_value);
	struct outcome portable = scanned(text, len, portable_scan_value);
	must_agree(&fast, &portable);
	if (len > 0 && *text == '"') {
		fast = scanned_string(text, len, px_scan_string);
		portable = scanned_string(text, len, portable_scan_string);
		must_agree(&fast, &portable);
	}
}
