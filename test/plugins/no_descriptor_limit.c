/* SPDX-License-Identifier: MIT */
/*
 * A system that sets no limit on descriptors (systemd's LimitNOFILE=infinity, Docker's on many
 * distributions), for LD_PRELOAD: setting one so high takes root and another fs.nr_open. What the
 * process asks for is what it is told afterwards; the real limit is as high as it may be.
 */
#include <dlfcn.h>
#include <sys/resource.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static rlim_t soft = RLIM_INFINITY - 1; /* 4.1.6 would read -1 as an error */

static int real(const char *name, int resource, struct rlimit *limit)
{
	int (*function)(int, struct rlimit *);
	*(void **)&function = dlsym(RTLD_NEXT, name);
	return function(resource, limit);
}

EXPORT int getrlimit(__rlimit_resource_t resource, struct rlimit *limit)
{
	int rc = real("getrlimit64", (int)resource, limit);
	if (rc == 0 && resource == RLIMIT_NOFILE) {
		limit->rlim_cur = soft;
		limit->rlim_max = RLIM_INFINITY;
	}
	return rc;
}

EXPORT int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
	struct rlimit own;
	if (resource != RLIMIT_NOFILE) {
		own = *limit;
		return real("setrlimit64", (int)resource, &own);
	}
	soft = limit->rlim_cur;
	(void)real("getrlimit64", RLIMIT_NOFILE, &own);
	own.rlim_cur = own.rlim_max;
	return real("setrlimit64", RLIMIT_NOFILE, &own);
}

EXPORT int getdtablesize(void)
{
	return (int)(soft < 1073741816 ? soft : 1073741816);
}

EXPORT long sysconf(int name)
{
	long (*function)(int);
	*(void **)&function = dlsym(RTLD_NEXT, "sysconf");
	return name == _SC_OPEN_MAX ? getdtablesize() : function(name);
}
