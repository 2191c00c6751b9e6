/* SPDX-License-Identifier: MIT */
/*
 * What is different between two configurations: in words for whoever sent a SIGHUP, and for
 * the server whether a vhost can be changed while its sessions go on. Nothing here looks at
 * the server, a file or a socket.
 */
#ifndef PX_CONFIG_DIFF_H
#define PX_CONFIG_DIFF_H

#include "config/config.h"

/*
 * Tells each change, a sentence without line end: "vhost b: added", "vhost a: service echo:
 * option greeting has changed". Of values only numbers are told, of which none is a secret.
 * Returns how many there were. What is in files that are only named (certificates, JWKS, the
 * `-file` of a service's option) is not compared.
 */
size_t px_config_diff(const struct px_config *old, const struct px_config *new,
		void (*on_change)(void *user, const char *text), void *user);

/*
 * Whether sessions of the one cannot be sessions of the other: they would be somebody else
 * (tenant, practice of open mode, proof or none), or their connections something else (TLS or
 * none, a vhost that only redirects). docs/operations.md has the table.
 */
bool px_config_vhost_replaces(const struct px_config_vhost *old,
		const struct px_config_vhost *new);

/*
 * Whether some sessions of a vhost that is not replaced may be of a kind that could not come
 * in any more: by their address, or for want of a certificate.
 */
bool px_config_vhost_tightens(const struct px_config_vhost *old,
		const struct px_config_vhost *new);

#endif
