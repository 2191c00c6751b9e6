/* SPDX-License-Identifier: MIT */
/* See state_file.h. */
#include "state_file.h"

#include "common/fsync_dir.h"
#include "version.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <praxis/hex.h>
#include <praxis/host/state.h>
#include <praxis/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIGEST_BYTES 32
#define LAST_LINE_MAX 128

static int join(char buf[PATH_MAX], const char *path, const char *suffix)
{
	int len = snprintf(buf, PATH_MAX, "%s%s", path, suffix);
	return len > 0 && len < PATH_MAX ? 0 : -ENAMETOOLONG;
}

int px_state_file_move(const char *path, const char *suffix_from, const char *suffix_to)
{
	char from[PATH_MAX];
	char to[PATH_MAX];
	int rc = join(from, path, suffix_from);
	rc = rc < 0 ? rc : join(to, path, suffix_to);
	if (rc == 0 && rename(from, to) < 0) {
		rc = -errno;
	}
	return rc < 0 ? rc : px_directory_sync(path);
}

int px_state_file_remove(const char *path, const char *suffix)
{
	char name[PATH_MAX];
	int rc = join(name, path, suffix);
	if (rc < 0) {
		return rc;
	}
	if (unlink(name) < 0) {
		return errno == ENOENT ? 0 : -errno;
	}
	return px_directory_sync(path);
}

/* ---- writing ---- */

static void release(struct px_state_file *file)
{
	if (file->stream) {
		fclose(file->stream);
	}
	EVP_MD_CTX_free(file->hash);
	file->stream = NULL;
	file->hash = NULL;
}

static int open_draft(struct px_state_file *file)
{
	(void)unlink(file->draft);
	int fd = open(file->draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		return -errno;
	}
	file->stream = fdopen(fd, "w");
	if (!file->stream) {
		close(fd);
		return -ENOMEM;
	}
	return 0;
}

static int write_head(struct px_state_file *file, int64_t wall_ms)
{
	char line[256];
	(void)snprintf(line, sizeof(line),
			"{\"praxis-state\":%d,\"version\":\"" PX_VERSION "\",\"savedAt\":%lld}",
			PX_STATE_FORMAT, (long long)wall_ms);
	return px_state_file_line(file, px_span(line));
}

int px_state_file_begin(struct px_state_file *file, const char *path, uint64_t max_bytes,
		int64_t wall_ms)
{
	*file = (struct px_state_file){ .max_bytes = max_bytes };
	int rc = join(file->path, path, "");
	rc = rc < 0 ? rc : join(file->draft, path, ".draft");
	rc = rc < 0 ? rc : open_draft(file);
	if (rc < 0) {
		return rc;
	}
	file->hash = EVP_MD_CTX_new();
	if (!file->hash || EVP_DigestInit_ex(file->hash, EVP_sha256(), NULL) != 1) {
		return px_state_file_end(file, -ENOMEM);
	}
	rc = write_head(file, wall_ms);
	return rc < 0 ? px_state_file_end(file, rc) : 0;
}

static int write_bytes(struct px_state_file *file, const void *bytes, size_t len)
{
	if (fwrite(bytes, 1, len, file->stream) != len) {
		return errno ? -errno : -EIO;
	}
	return EVP_DigestUpdate(file->hash, bytes, len) == 1 ? 0 : -EIO;
}

int px_state_file_line(void *user, struct px_span line)
{
	struct px_state_file *file = user;
	if (file->bytes + line.len + 1 + LAST_LINE_MAX > file->max_bytes) {
		return -EFBIG;
	}
	int rc = write_bytes(file, line.data, line.len);
	rc = rc < 0 ? rc : write_bytes(file, "\n", 1);
	file->bytes += line.len + 1;
	file->lines++;
	return rc;
}

/* Formats the last line of a file with that many lines and that hash. */
static int format_last(EVP_MD_CTX *hash, uint64_t lines, char buf[LAST_LINE_MAX])
{
	unsigned char digest[DIGEST_BYTES];
	char hex[2 * DIGEST_BYTES + 1];
	if (EVP_DigestFinal_ex(hash, digest, NULL) != 1) {
		return -EIO;
	}
	px_hex_write(digest, DIGEST_BYTES, hex);
	return snprintf(buf, LAST_LINE_MAX, "{\"lines\":%llu,\"sha256\":\"%s\"}\n",
			(unsigned long long)lines, hex);
}

static int complete(struct px_state_file *file)
{
	char last[LAST_LINE_MAX];
	int len = format_last(file->hash, file->lines, last);
	if (len < 0) {
		return len;
	}
	if (fwrite(last, 1, (size_t)len, file->stream) != (size_t)len ||
			fflush(file->stream) != 0 || fsync(fileno(file->stream)) < 0) {
		return errno ? -errno : -EIO;
	}
	int rc = fclose(file->stream) == 0 ? 0 : -errno;
	file->stream = NULL;
	if (rc == 0 && rename(file->draft, file->path) < 0) {
		rc = -errno;
	}
	return rc < 0 ? rc : px_directory_sync(file->path);
}

int px_state_file_end(struct px_state_file *file, int rc)
{
	errno = 0;
	rc = rc < 0 ? rc : complete(file);
	release(file);
	if (rc < 0) {
		(void)unlink(file->draft);
	}
	return rc;
}

/* ---- reading ---- */

static const char *stat_fault(const struct stat *st, uint64_t max_bytes)
{
	if (!S_ISREG(st->st_mode)) {
		return "it is not a regular file";
	}
	if (st->st_uid != geteuid()) {
		return "it belongs to another user";
	}
	if (st->st_mode & (S_IRWXG | S_IRWXO)) {
		return "users other than its owner have access to it";
	}
	return (uint64_t)st->st_size > max_bytes ? "it is larger than state-max-bytes" : NULL;
}

static int read_all(int fd, char *data, size_t size)
{
	size_t len = 0;
	while (len < size) {
		ssize_t got = read(fd, data + len, size - len);
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got <= 0) {
			return got < 0 ? -errno : -EIO;
		}
		len += (size_t)got;
	}
	return 0;
}

static int read_file(const char *path, uint64_t max_bytes, char **ret_data, size_t *ret_len,
		const char **ret_fault)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		*ret_fault = "it is a symbolic link";
		return errno == ELOOP ? -EINVAL : -errno;
	}
	int rc = fstat(fd, &st) < 0 ? -errno : 0;
	*ret_fault = rc == 0 ? stat_fault(&st, max_bytes) : NULL;
	rc = *ret_fault ? -EINVAL : rc;
	char *data = rc == 0 ? malloc((size_t)st.st_size + 1) : NULL;
	if (rc == 0) {
		rc = data ? read_all(fd, data, (size_t)st.st_size) : -ENOMEM;
	}
	close(fd);
	if (rc < 0) {
		free(data);
		return rc;
	}
	*ret_data = data;
	*ret_len = (size_t)st.st_size;
	return 0;
}

static const char *head_fault(const char *data, size_t len, int64_t *ret_saved_ms)
{
	struct json_tokener *tokener = json_tokener_new_ex(4);
	int64_t format;
	const char *fault = "its first line is not that of a state file";
	if (!tokener) {
		return "out of memory";
	}
	struct json_object *head = json_tokener_parse_ex(tokener, data, (int)len);
	if (json_object_is_type(head, json_type_object) &&
			px_json_get_int(head, "praxis-state", 0, INT64_MAX, &format)) {
		if (format != PX_STATE_FORMAT) {
			fault = "it has another version";
		} else if (px_json_get_int(head, "savedAt", 0, INT64_MAX, ret_saved_ms)) {
			fault = NULL;
		}
	}
	json_object_put(head);
	json_tokener_free(tokener);
	return fault;
}

/* Whether the last line matches the lines before it. */
static bool is_sealed(const char *data, size_t body_len, struct px_span last)
{
	char wanted[LAST_LINE_MAX];
	uint64_t lines = 0;
	for (size_t i = 0; i < body_len; i++) {
		lines += data[i] == '\n';
	}
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	int len = -1;
	if (hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1 &&
			EVP_DigestUpdate(hash, data, body_len) == 1) {
		len = format_last(hash, lines, wanted);
	}
	EVP_MD_CTX_free(hash);
	return len > 0 && px_span_equal(last, (struct px_span){ wanted, (size_t)len });
}

static const char *text_fault(size_t len, struct px_state_text *text)
{
	const char *data = text->data;
	const char *head_end = memchr(data, '\n', len < 1024 ? len : 1024);
	if (!head_end) {
		return "its first line is not that of a state file";
	}
	size_t head_len = (size_t)(head_end - data);
	const char *fault = head_fault(data, head_len, &text->saved_ms);
	if (fault) {
		return fault;
	}
	if (data[len - 1] != '\n') {
		return "it is truncated";
	}
	size_t body_len = len - 1;
	while (body_len > 0 && data[body_len - 1] != '\n') {
		body_len--;
	}
	if (body_len <= head_len ||
			!is_sealed(data, body_len, (struct px_span){ data + body_len, len - body_len })) {
		return "its checksum does not match";
	}
	text->lines = (struct px_span){ head_end + 1, body_len - head_len - 1 };
	return NULL;
}

int px_state_file_read(const char *path, uint64_t max_bytes, struct px_state_text *ret_text,
		const char **ret_fault)
{
	struct px_state_text text = { 0 };
	size_t len = 0;
	*ret_fault = NULL;
	int rc = read_file(path, max_bytes, &text.data, &len, ret_fault);
	if (rc < 0) {
		return rc;
	}
	*ret_fault = text_fault(len, &text);
	if (*ret_fault) {
		free(text.data);
		return -EINVAL;
	}
	*ret_text = text;
	return 0;
}

bool px_state_text_line(struct px_state_text *text, struct px_span *ret_line)
{
	if (text->lines.len == 0) {
		return false;
	}
	const char *end = memchr(text->lines.data, '\n', text->lines.len);
	size_t len = (size_t)(end - text->lines.data); /* the last one has its end, too */
	*ret_line = (struct px_span){ text->lines.data, len };
	text->lines.data += len + 1;
	text->lines.len -= len + 1;
	return true;
}
