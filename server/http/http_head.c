/* SPDX-License-Identifier: MIT */
/*
 * See http_head.h. Refused although RFC 9112 permits it: a line that ends with LF alone, a folded
 * line, a repeated Content-Length. Only requests that are meant to be read differently by two
 * readers have these.
 *
 * A path has one spelling: no empty segment, no "." or "..", nothing encoded that need not be. A
 * proxy's rule for /metrics must not be circumvented with //metrics or /%6detrics, so other
 * spellings are not decoded but not found.
 */
#include "http_head.h"

#include <errno.h>
#include <praxis/hex.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DIGITS "0123456789"
#define ALNUM DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define UPGRADE_LINES "Connection: Upgrade\r\nUpgrade: websocket\r\n"
#define TOKEN ALNUM "!#$%&'*+-.^_`|~"

/* The unread rest: from `at` to `end`. */
struct reader {
	const char *at;
	const char *end;
	struct px_http_head *head;
	struct px_http_fault *fault;
	unsigned fields;
	unsigned hosts;
	unsigned lengths;
	bool is_encoded; /* Transfer-Encoding */
	bool wants_upgrade; /* by Connection … */
	bool wants_websocket; /* … and by Upgrade */
	unsigned offers; /* number of protocols in Upgrade */
	bool is_expected_unknown;
};

static int refuse(struct reader *reader, int status, const char *code, const char *sentence)
{
	*reader->fault = (struct px_http_fault){ status, code, sentence, NULL };
	return -EPROTO;
}

static int bad(struct reader *reader, const char *sentence)
{
	return refuse(reader, 400, "bad_request", sentence);
}

static bool is_among(char c, const char *set)
{
	return c != '\0' && strchr(set, c);
}

static bool is_only(struct px_span text, const char *set)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!is_among(text.data[i], set)) {
			return false;
		}
	}
	return true;
}

static bool is_word(struct px_span text, const char *word)
{
	return text.len == strlen(word) && strncasecmp(text.data, word, text.len) == 0;
}

static bool is_method(struct px_span method, const char *name)
{
	return method.len == strlen(name) && memcmp(method.data, name, method.len) == 0;
}

/* The next line, without its CRLF. -EAGAIN; -EPROTO: it is invalid, whatever follows. */
static int take_line(struct reader *reader, struct px_span *ret_line)
{
	for (const char *at = reader->at; at < reader->end; at++) {
		unsigned char c = (unsigned char)*at;
		if (c == '\r' && at + 1 < reader->end && at[1] == '\n') {
			*ret_line = (struct px_span){ reader->at, (size_t)(at - reader->at) };
			reader->at = at + 2;
			return 0;
		}
		if (c == '\r' && at + 1 == reader->end) {
			return -EAGAIN;
		}
		if ((c < ' ' && c != '\t') || c == 0x7f) {
			return bad(reader, "A line must end with CR LF, without other control characters.");
		}
	}
	return -EAGAIN;
}

/* ---- the first line ---- */

/* The byte encoded at `at` ("%41"); -1: none. */
static int decode(const char *at, const char *end)
{
	if (end - at < 3 || px_hex_digit(at[1]) < 0 || px_hex_digit(at[2]) < 0) {
		return -1;
	}
	return px_hex_digit(at[1]) * 16 + px_hex_digit(at[2]);
}

/* Checks for visible ASCII, and for valid encodings other than NUL. */
static int check_encoding(struct reader *reader, struct px_span text)
{
	/* Adding to a null pointer is undefined (C11 6.5.6). */
	const char *end = text.len > 0 ? text.data + text.len : text.data;
	for (const char *at = text.data; at < end; at++) {
		if (*at <= ' ' || *at > '~' || *at == '#') {
			return bad(reader, "The target contains a character that must be encoded.");
		}
		int byte = *at == '%' ? decode(at, end) : 1;
		if (byte < 0) {
			return bad(reader, "The target contains a % that is not part of an encoded character.");
		}
		if (byte == 0) {
			return bad(reader, "The target contains U+0000.");
		}
	}
	return 0;
}

static bool is_normal_segment(const char *at, size_t len, bool is_last)
{
	if ((len == 0 && !is_last) || (len == 1 && at[0] == '.') ||
			(len == 2 && memcmp(at, "..", 2) == 0)) {
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		int byte = at[i] == '%' ? decode(at + i, at + len) : -1;
		if (at[i] == '\\' || byte == '/' || byte == '\\' ||
				(byte > 0 && is_among((char)byte, ALNUM "-._~"))) {
			return false;
		}
	}
	return true;
}

static bool is_normal(struct px_span path)
{
	const char *end = path.data + path.len;
	for (const char *at = path.data; at < end;) {
		const char *slash = memchr(at + 1, '/', (size_t)(end - at) - 1);
		const char *stop = slash ? slash : end;
		if (!is_normal_segment(at + 1, (size_t)(stop - at) - 1, !slash)) {
			return false;
		}
		at = stop;
	}
	return true;
}

/* "host", "host:port", "[v6]:port" */
static bool is_authority(struct px_span text)
{
	size_t len = 0;
	if (text.len > 0 && text.data[0] == '[') {
		const char *bracket = memchr(text.data, ']', text.len);
		len = bracket ? (size_t)(bracket - text.data) + 1 : 0;
		if (len < 4 || !is_only((struct px_span){ text.data + 1, len - 2 },
				DIGITS "ABCDEFabcdef:.")) {
			return false;
		}
	} else {
		while (len < text.len && is_among(text.data[len], ALNUM "-._~!$&'()*+,;=%")) {
			len++;
		}
	}
	if (len == 0 || len == text.len) {
		return len > 0;
	}
	struct px_span port = { text.data + len + 1, text.len - len - 1 };
	return text.data[len] == ':' && port.len <= 5 && is_only(port, DIGITS);
}

static struct px_span without_scheme(struct px_span target)
{
	static const char *const schemes[] = { "http://", "https://" };
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t len = strlen(schemes[i]);
		if (target.len > len && strncasecmp(target.data, schemes[i], len) == 0) {
			return (struct px_span){ target.data + len, target.len - len };
		}
	}
	return (struct px_span){ NULL, 0 };
}

static int check_query(struct reader *reader)
{
	struct px_span query = reader->head->query;
	unsigned parameters = 1;
	for (size_t i = 0; i < query.len; i++) {
		parameters += query.data[i] == '&' || query.data[i] == ';';
	}
	return parameters > PX_HTTP_PARAMETERS_MAX ? bad(reader, "The query has too many parameters.") :
			check_encoding(reader, query);
}

static int take_target(struct reader *reader, struct px_span target)
{
	struct px_http_head *head = reader->head;
	struct px_span rest = without_scheme(target);
	if (rest.data) {
		size_t len = 0;
		while (len < rest.len && !is_among(rest.data[len], "/?#")) {
			len++;
		}
		head->authority = (struct px_span){ rest.data, len };
		target = (struct px_span){ rest.data + len, rest.len - len };
		if (!is_authority(head->authority)) {
			return bad(reader, "The target's host is invalid.");
		}
	}
	const char *mark = target.len > 0 ? memchr(target.data, '?', target.len) : NULL;
	size_t len = mark ? (size_t)(mark - target.data) : target.len;
	head->path = len == 0 && rest.data ? px_span("/") : (struct px_span){ target.data, len };
	if (mark) {
		head->query = (struct px_span){ mark + 1, target.len - len - 1 };
	}
	if (head->path.len == 0 || head->path.data[0] != '/') {
		head->path = (struct px_span){ NULL, 0 };
		return bad(reader, "The target is not a path.");
	}
	int rc = check_encoding(reader, head->path);
	rc = rc < 0 ? rc : check_query(reader);
	return rc < 0 ? rc : is_normal(head->path) ? 0 :
			refuse(reader, 404, "not_found", "There is nothing at this path.");
}

static int take_version(struct reader *reader, struct px_span version)
{
	const char *text = version.data;
	if (version.len != 8 || memcmp(text, "HTTP/", 5) != 0 || !is_among(text[5], DIGITS) ||
			text[6] != '.' || !is_among(text[7], DIGITS)) {
		return bad(reader, "The request is not HTTP/1.1.");
	}
	if (text[5] != '1') {
		return refuse(reader, 505, "bad_request", "Only HTTP/1.0 and HTTP/1.1 are supported.");
	}
	reader->head->is_10 = text[7] == '0';
	reader->head->closes = reader->head->is_10;
	return 0;
}

static bool is_known(struct px_span method)
{
	static const char *const known[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE",
		"OPTIONS" };
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (is_method(method, known[i])) {
			return true;
		}
	}
	return false;
}

static bool takes_body(struct px_span method)
{
	return is_method(method, "POST") || is_method(method, "PUT") || is_method(method, "PATCH");
}

/* An invalid method is reported only if the target is not of its form: "CONNECT host:port". */
static int take_request_line(struct reader *reader)
{
	struct px_span line;
	int rc = take_line(reader, &line);
	if (rc < 0) {
		return rc;
	}
	const char *end = line.data + line.len;
	const char *first = memchr(line.data, ' ', line.len);
	const char *second = first ? memchr(first + 1, ' ', (size_t)(end - first) - 1) : NULL;
	if (!second || memchr(second + 1, ' ', (size_t)(end - second) - 1)) {
		return bad(reader, "The request is not HTTP/1.1.");
	}
	struct px_span method = { line.data, (size_t)(first - line.data) };
	struct px_span target = { first + 1, (size_t)(second - first) - 1 };
	if (method.len == 0 || !is_only(method, TOKEN)) {
		return bad(reader, "The method is invalid.");
	}
	reader->head->method = method;
	reader->head->is_head = is_method(method, "HEAD");
	rc = take_version(reader, (struct px_span){ second + 1, (size_t)(end - second) - 1 });
	if (rc < 0) {
		return rc;
	}
	rc = take_target(reader, target);
	return is_known(method) ? rc :
			refuse(reader, 405, "bad_request", "This method is not supported.");
}

/* ---- fields ---- */

static struct px_span trim(struct px_span text)
{
	while (text.len > 0 && is_among(text.data[0], " \t")) {
		text.data++;
		text.len--;
	}
	while (text.len > 0 && is_among(text.data[text.len - 1], " \t")) {
		text.len--;
	}
	return text;
}

/* The next member of a list, trimmed; false: none left. */
static bool next_member(struct px_span *list, struct px_span *ret_member)
{
	if (!list->data) {
		return false;
	}
	const char *comma = list->len > 0 ? memchr(list->data, ',', list->len) : NULL;
	size_t len = comma ? (size_t)(comma - list->data) : list->len;
	*ret_member = trim((struct px_span){ list->data, len });
	*list = comma ? (struct px_span){ comma + 1, list->len - len - 1 } :
			(struct px_span){ NULL, 0 };
	return true;
}

static void take_connection(struct reader *reader, struct px_span list)
{
	struct px_span option;
	while (next_member(&list, &option)) {
		reader->head->closes |= is_word(option, "close");
		reader->wants_upgrade |= is_word(option, "upgrade");
	}
}

/* Other offers are ignored (RFC 9110 section 7.8). */
static void take_upgrade(struct reader *reader, struct px_span list)
{
	struct px_span protocol;
	while (next_member(&list, &protocol)) {
		reader->offers++;
		reader->wants_websocket |= is_word(protocol, "websocket");
	}
}

static int take_length(struct reader *reader, struct px_span value)
{
	reader->lengths++;
	if (value.len == 0 || !is_only(value, DIGITS)) {
		return bad(reader, "Content-Length is not a number.");
	}
	uint64_t length = 0;
	for (size_t i = 0; i < value.len; i++) {
		if (length > (uint64_t)INT64_MAX / 10 - 1) {
			return refuse(reader, 413, "bad_request", "The body is too large.");
		}
		length = length * 10 + (uint64_t)(value.data[i] - '0');
	}
	reader->head->content_length = length;
	return 0;
}

static int take_field(struct reader *reader, struct px_span name, struct px_span value)
{
	if (is_word(name, "host")) {
		reader->hosts++;
		return is_authority(value) ? 0 : bad(reader, "The Host header is invalid.");
	}
	if (is_word(name, "content-length")) {
		return take_length(reader, value);
	}
	if (is_word(name, "transfer-encoding")) {
		reader->is_encoded = true;
	} else if (is_word(name, "connection")) {
		take_connection(reader, value);
	} else if (is_word(name, "upgrade")) {
		take_upgrade(reader, value);
	} else if (is_word(name, "expect")) {
		reader->is_expected_unknown |= !is_word(value, "100-continue");
	}
	return 0;
}

/* 1: it was the empty line. */
static int take_field_line(struct reader *reader)
{
	struct px_span line;
	int rc = take_line(reader, &line);
	if (rc < 0 || line.len == 0) {
		return rc < 0 ? rc : 1;
	}
	if (++reader->fields > PX_HTTP_FIELDS_MAX) {
		return refuse(reader, 431, "bad_request", "The request has too many header fields.");
	}
	const char *colon = memchr(line.data, ':', line.len);
	struct px_span name = { line.data, colon ? (size_t)(colon - line.data) : 0 };
	if (name.len == 0 || !is_only(name, TOKEN)) {
		return bad(reader, "The name of a header field is invalid.");
	}
	return take_field(reader, name,
			trim((struct px_span){ colon + 1, line.len - name.len - 1 }));
}

/* ---- all of it ---- */

/* Where a body begins and ends must be unambiguous (RFC 9112 section 6). */
static int check_framing(struct reader *reader)
{
	const struct px_http_head *head = reader->head;
	bool may_have_body = takes_body(head->method);
	if (reader->lengths > 1) {
		return bad(reader, "Content-Length occurs more than once.");
	}
	if (reader->is_encoded && reader->lengths > 0) {
		return bad(reader, "A request must not have both Content-Length and Transfer-Encoding.");
	}
	if (reader->is_encoded && may_have_body) {
		return refuse(reader, 411, "bad_request", "The body needs a Content-Length.");
	}
	if (reader->is_encoded || (head->content_length > 0 && !may_have_body)) {
		return bad(reader, "A request with this method must not have a body.");
	}
	return 0;
}

static int check_upgrade(struct reader *reader)
{
	struct px_http_head *head = reader->head;
	if (!reader->wants_websocket || !reader->wants_upgrade) {
		return 0;
	}
	if (head->is_10) {
		return bad(reader, "A WebSocket requires HTTP/1.1.");
	}
	if (head->content_length > 0) {
		return bad(reader, "An upgrade must not have a body.");
	}
	head->upgrades = true;
	head->offers_more = reader->offers > 1;
	return 0;
}

static int check(struct reader *reader)
{
	if (reader->hosts > 1 || (reader->hosts == 0 && !reader->head->is_10)) {
		return bad(reader, "A request must have exactly one Host.");
	}
	int rc = check_framing(reader);
	rc = rc < 0 ? rc : check_upgrade(reader);
	if (rc == 0 && reader->is_expected_unknown && !reader->head->is_10) {
		return refuse(reader, 417, "bad_request", "Only Expect: 100-continue is supported.");
	}
	return rc;
}

int px_http_head_parse(const char *bytes, size_t len, struct px_http_head *ret_head,
		struct px_http_fault *ret_fault)
{
	size_t most = len < PX_HTTP_HEAD_MAX ? len : PX_HTTP_HEAD_MAX;
	struct reader reader = {
		.at = bytes,
		.end = bytes + most,
		.head = ret_head,
		.fault = ret_fault,
	};
	*ret_head = (struct px_http_head){ 0 };
	int rc = take_request_line(&reader);
	const char *fields = reader.at;
	while (rc == 0) {
		rc = take_field_line(&reader);
	}
	if (rc == -EAGAIN && most == PX_HTTP_HEAD_MAX) {
		return fields == bytes ? refuse(&reader, 414, "bad_request", "The target is too long.") :
				refuse(&reader, 431, "bad_request", "The header is too long.");
	}
	if (rc < 0) {
		return rc;
	}
	ret_head->len = (size_t)(reader.at - bytes);
	ret_head->fields = (struct px_span){ fields, (size_t)(reader.at - fields) - 2 };
	return check(&reader);
}

/* ---- writing ---- */

static bool concerns_connection(struct px_span name)
{
	static const char *const names[] = { "connection", "http2-settings", "keep-alive",
		"proxy-connection", "te", "trailer", "upgrade" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (is_word(name, names[i])) {
			return true;
		}
	}
	return false;
}

static bool stays(const struct px_http_head *head, struct px_span line)
{
	const char *colon = memchr(line.data, ':', line.len);
	struct px_span name = { line.data, colon ? (size_t)(colon - line.data) : line.len };
	return !concerns_connection(name) && !(head->authority.data && is_word(name, "host"));
}

size_t px_http_head_write(const struct px_http_head *head, char *buf, size_t size)
{
	struct px_span rest = head->fields;
	int n = snprintf(buf, size, "%.*s %.*s%s%.*s HTTP/1.%d\r\n%s%.*s%s", (int)head->method.len,
			head->method.data, (int)head->path.len, head->path.data,
			head->query.len > 0 ? "?" : "", (int)head->query.len,
			head->query.data ? head->query.data : "", head->is_10 ? 0 : 1,
			head->authority.data ? "Host: " : "", (int)head->authority.len,
			head->authority.data ? head->authority.data : "",
			head->authority.data ? "\r\n" : "");
	if (n < 0 || (size_t)n + rest.len + 2 > size) {
		return 0;
	}
	size_t len = (size_t)n;
	while (rest.len > 0) {
		const char *lf = memchr(rest.data, '\n', rest.len);
		struct px_span line = { rest.data, lf ? (size_t)(lf - rest.data) + 1 : rest.len };
		if (stays(head, line)) {
			memcpy(buf + len, line.data, line.len);
			len += line.len;
		}
		rest = (struct px_span){ line.data + line.len, rest.len - line.len };
	}
	const char *end = head->upgrades ? UPGRADE_LINES "\r\n" : "\r\n";
	size_t end_len = strlen(end);
	if (len + end_len > size) {
		return 0;
	}
	memcpy(buf + len, end, end_len);
	return len + end_len;
}
