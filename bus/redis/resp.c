/* SPDX-License-Identifier: MIT */
/* See resp.h. */
#include "resp.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line: a head with a number, or a short text. */
#define LINE_BYTES 4096

/* ---- lines and numbers ---- */

/* Length without its end; -1: its end is not there; -EBADMSG: too long. */
static ssize_t line_of(const char *data, size_t len)
{
	const char *end = memchr(data, '\n', len < LINE_BYTES ? len : LINE_BYTES);
	if (!end) {
		return len < LINE_BYTES ? -1 : -EBADMSG;
	}
	return end > data && end[-1] == '\r' ? end - data - 1 : -EBADMSG;
}

bool px_resp_digits(struct px_span text, uint64_t *ret_number)
{
	uint64_t number = 0;
	if (text.len == 0 || text.len > 19) {
		return false;
	}
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9') {
			return false;
		}
		number = number * 10 + (uint64_t)(text.data[i] - '0');
	}
	*ret_number = number;
	return true;
}

static bool integer_of(struct px_span text, int64_t *ret_number)
{
	bool is_negative = text.len > 0 && text.data[0] == '-';
	uint64_t number;
	if (is_negative) {
		text.data++;
		text.len--;
	}
	if (!px_resp_digits(text, &number) || number > INT64_MAX) {
		return false;
	}
	*ret_number = is_negative ? -(int64_t)number : (int64_t)number;
	return true;
}

/* ---- scanning ---- */

enum form {
	LINE,   /* all of it is on its line */
	NUMBER, /* an integer is */
	BULK,   /* so many bytes follow */
	MANY,   /* so many values follow */
	PAIRS,  /* twice as many */
	UNKNOWN,
};

static enum form form_of(char type)
{
	switch (type) {
	case '+': case '-': case '_': case '#': case ',': case '(':
		return LINE;
	case ':':
		return NUMBER;
	case '$': case '!': case '=':
		return BULK;
	case '*': case '~': case '>':
		return MANY;
	case '%':
		return PAIRS;
	default:
		return UNKNOWN;
	}
}

/* The head of a value, as it stands on a line. */
struct head {
	enum form form;
	struct px_span line;
	int64_t number; /* -1: null */
};

/* Bytes of it with its end; 0: more are needed; -EBADMSG. */
static ssize_t head_of(const char *data, size_t len, struct head *ret_head)
{
	if (len == 0) {
		return 0;
	}
	ssize_t line = line_of(data + 1, len - 1);
	struct head head = { .form = form_of(data[0]) };
	if (head.form == UNKNOWN || line == -EBADMSG) {
		return -EBADMSG;
	}
	if (line < 0) {
		return 0;
	}
	head.line = (struct px_span){ data + 1, (size_t)line };
	if (head.form != LINE && !integer_of(head.line, &head.number)) {
		return -EBADMSG;
	}
	if (head.form > NUMBER && (head.number < -1 || head.number > PX_RESP_BYTES)) {
		return -EBADMSG;
	}
	*ret_head = head;
	return line + 3;
}

/* Bytes of a bulk behind its head. */
static size_t body_of(const struct head *head)
{
	return head->form == BULK && head->number >= 0 ? (size_t)head->number + 2 : 0;
}

/* How many values follow a head. */
static uint64_t values_of(const struct head *head)
{
	return head->number <= 0 ? 0 : head->form == MANY ? (uint64_t)head->number :
			head->form == PAIRS ? 2 * (uint64_t)head->number : 0;
}

/* A value was passed, and with it all arrays of which it was the last. */
static void close_arrays(struct px_resp_scan *scan)
{
	while (scan->depth > 0 && --scan->left[scan->depth] == 0) {
		scan->depth--;
	}
}

static int open_array(struct px_resp_scan *scan, uint64_t count)
{
	if (count > PX_RESP_VALUES || scan->depth == PX_RESP_DEPTH) {
		return -EBADMSG;
	}
	scan->left[++scan->depth] = count;
	return 0;
}

ssize_t px_resp_scan(struct px_resp_scan *scan, const char *data, size_t len)
{
	do {
		struct head head;
		ssize_t taken = head_of(data + scan->at, len - scan->at, &head);
		if (taken <= 0) {
			return taken < 0 || len > PX_RESP_BYTES ? -EBADMSG : 0;
		}
		size_t end = scan->at + (size_t)taken + body_of(&head);
		if (++scan->values > PX_RESP_VALUES || end > PX_RESP_BYTES) {
			return -EBADMSG;
		}
		if (end > len) {
			scan->values--;
			return 0;
		}
		if (body_of(&head) > 0 && memcmp(data + end - 2, "\r\n", 2) != 0) {
			return -EBADMSG;
		}
		scan->at = end;
		uint64_t values = values_of(&head);
		if (values == 0) {
			close_arrays(scan);
		} else if (open_array(scan, values) < 0) {
			return -EBADMSG;
		}
	} while (scan->depth > 0);
	size_t found = scan->at;
	*scan = (struct px_resp_scan){ 0 };
	return (ssize_t)found;
}

/* ---- reading ---- */

static enum px_resp_type type_of(char type, const struct head *head)
{
	if (type == '_' || (head->form > NUMBER && head->number < 0)) {
		return PX_RESP_NULL;
	}
	if (head->form >= MANY) {
		return type == '>' ? PX_RESP_PUSH : PX_RESP_ARRAY;
	}
	return type == '-' || type == '!' ? PX_RESP_ERROR : type == ':' ? PX_RESP_INT : PX_RESP_TEXT;
}

struct px_resp_value px_resp_next(struct px_resp *resp)
{
	struct px_resp_value value = { .type = PX_RESP_END };
	struct head head;
	size_t len = (size_t)(resp->end - resp->at);
	ssize_t taken = len > 0 ? head_of(resp->at, len, &head) : 0;
	if (taken <= 0 || body_of(&head) > len - (size_t)taken) {
		resp->at = resp->end;
		return value;
	}
	value.type = type_of(*resp->at, &head);
	value.text = head.form == BULK && head.number >= 0 ?
			(struct px_span){ resp->at + taken, (size_t)head.number } : head.line;
	value.number = head.number;
	value.count = values_of(&head);
	resp->at += (size_t)taken + body_of(&head);
	return value;
}

void px_resp_skip(struct px_resp *resp)
{
	uint64_t left = 1;
	while (left > 0) {
		struct px_resp_value value = px_resp_next(resp);
		if (value.type == PX_RESP_END) {
			return;
		}
		left += value.count;
		left--;
	}
}

/* Past the elements of what was read, if it was an array. */
static void skip_values(struct px_resp *resp, const struct px_resp_value *value)
{
	for (uint64_t i = 0; i < value->count && resp->at < resp->end; i++) {
		px_resp_skip(resp);
	}
}

struct px_span px_resp_text(struct px_resp *resp)
{
	struct px_resp_value value = px_resp_next(resp);
	skip_values(resp, &value);
	return value.type == PX_RESP_TEXT ? value.text : (struct px_span){ "", 0 };
}

bool px_resp_number(struct px_resp *resp, uint64_t *ret_number)
{
	struct px_resp_value value = px_resp_next(resp);
	skip_values(resp, &value);
	if (value.type == PX_RESP_INT && value.number >= 0) {
		*ret_number = (uint64_t)value.number;
		return true;
	}
	return value.type == PX_RESP_TEXT && px_resp_digits(value.text, ret_number);
}

bool px_resp_is_error(struct px_span error, const char *code)
{
	size_t len = strlen(code);
	return error.len >= len && memcmp(error.data, code, len) == 0 &&
			(error.len == len || error.data[len] == ' ');
}

/* ---- commands ---- */

static char *reserve(struct px_resp_out *out, size_t more)
{
	size_t size = out->size ? out->size : 4096;
	if (out->failed) {
		return NULL;
	}
	while (size - out->len < more) {
		size *= 2;
	}
	if (size != out->size) {
		char *data = realloc(out->data, size);
		if (!data) {
			out->failed = true;
			return NULL;
		}
		out->data = data;
		out->size = size;
	}
	return out->data + out->len;
}

static void put_head(struct px_resp_out *out, char type, size_t number)
{
	char *at = reserve(out, 32);
	if (at) {
		out->len += (size_t)snprintf(at, 32, "%c%zu\r\n", type, number);
	}
}

void px_resp_command(struct px_resp_out *out, size_t count)
{
	put_head(out, '*', count);
}

void px_resp_put(struct px_resp_out *out, struct px_span text)
{
	put_head(out, '$', text.len);
	char *at = reserve(out, text.len + 2);
	if (at) {
		if (text.len > 0) {
			memcpy(at, text.data, text.len);
		}
		memcpy(at + text.len, "\r\n", 2);
		out->len += text.len + 2;
	}
}

void px_resp_put_number(struct px_resp_out *out, uint64_t number)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, number);
	px_resp_put(out, (struct px_span){ digits, (size_t)len });
}

void px_resp_words(struct px_resp_out *out, const char *words)
{
	size_t count = 1;
	for (const char *at = words; *at; at++) {
		count += *at == ' ';
	}
	px_resp_command(out, count);
	for (; count > 0; count--) {
		size_t len = strcspn(words, " ");
		px_resp_put(out, (struct px_span){ words, len });
		words += len + (words[len] == ' ');
	}
}

void px_resp_out_finish(struct px_resp_out *out)
{
	free(out->data);
	*out = (struct px_resp_out){ .data = NULL };
}
