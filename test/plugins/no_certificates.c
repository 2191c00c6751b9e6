/* SPDX-License-Identifier: MIT */
/*
 * A system without certificates, as images of Debian are, for LD_PRELOAD: libcurl says that it
 * looks for them in PRAXIS_CERTIFICATES. Taking the system's away would be everybody's loss.
 */
#include <curl/curl.h>
#include <dlfcn.h>
#include <stdlib.h>

#undef curl_version_info

__attribute__((visibility("default")))
curl_version_info_data *curl_version_info(CURLversion age)
{
	static curl_version_info_data data;
	curl_version_info_data *(*real)(CURLversion);
	*(void **)&real = dlsym(RTLD_NEXT, "curl_version_info");
	data = *real(age);
	data.cainfo = getenv("PRAXIS_CERTIFICATES");
	return &data;
}
