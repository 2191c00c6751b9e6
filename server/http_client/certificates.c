/* SPDX-License-Identifier: MIT */
/*
 * Whether the TLS library finds any certificates. Without them no back end is trusted, which would
 * only show when the first client waits for it: too late for whoever installed the server on a
 * system without certificates, such as an image.
 */
#include "http_client_internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool has_text(const char *path)
{
	struct stat about;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		return false;
	}
	bool is_there = fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && about.st_size > 0;
	close(fd);
	return is_there;
}

static bool has_files(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	bool any = false;
	while (dir && !any && (entry = readdir(dir))) {
		any = entry->d_name[0] != '.';
	}
	if (dir) {
		closedir(dir);
	}
	return any;
}

const char *px_http_client_lacking(const char *file, const char *directory)
{
	/* If libcurl has a file, failing to read it is an error, whatever else there is. */
	if (file) {
		return has_text(file) ? NULL : file;
	}
	return directory && !has_files(directory) ? directory : NULL;
}

const char *px_http_client_missing_certificates(void)
{
	const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
	return info->age < CURLVERSION_SEVENTH ? NULL :
			px_http_client_lacking(info->cainfo, info->capath);
}
