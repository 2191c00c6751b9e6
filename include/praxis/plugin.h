/* SPDX-License-Identifier: MIT */
/*
 * Makes a genuine libwebsockets protocol plugin from a service: a shared object that exports one
 * lws_plugin_protocol, whose callback is libpraxis' adapter and whose user pointer is the
 * descriptor. The only public header that uses lws.
 *
 *     PX_SERVICE_PLUGIN(svc_echo, service)    in praxis_svc_echo.so
 *
 * The symbol is svc_<name>, and the lws protocol (so the WebSocket subprotocol) is <name>.
 */
#ifndef PRAXIS_PLUGIN_H
#define PRAXIS_PLUGIN_H

#include <libwebsockets.h>
#include <praxis/service.h>

/*
 * How much lws reads at once from a socket, and allocates for each connection. The adapter
 * assembles messages, so this is small; see docs/architecture.md for the figures.
 */
#define PX_LWS_RX_BYTES 448

/* The longest write that lws does not split: a session's coalesced frames. */
#define PX_LWS_TX_BYTES 65536

/* The adapter's per-session data in lws, in bytes. */
#define PX_LWS_SESSION_BYTES 88

/* The adapter's callback, for every protocol of every vhost. */
PX_PUBLIC int px_lws_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
		void *in, size_t len);

/* The only place that distinguishes Debian's two versions of lws. */
#if LWS_PLUGIN_API_MAGIC >= 191
#define PX_LWS_PLUGIN_HASH .hdr.lws_build_hash = LWS_BUILD_HASH,
#else
#define PX_LWS_PLUGIN_HASH
#endif

#define PX_SERVICE_PLUGIN(symbol, descriptor) \
	static const struct lws_protocols symbol##_protocols[] = { { \
		.name = &#symbol[sizeof("svc_") - 1], \
		.callback = px_lws_callback, \
		.per_session_data_size = PX_LWS_SESSION_BYTES, \
		.rx_buffer_size = PX_LWS_RX_BYTES, \
		.tx_packet_size = PX_LWS_TX_BYTES, \
		.user = (void *)(uintptr_t)&(descriptor), \
	} }; \
	PX_PUBLIC extern const lws_plugin_protocol_t symbol; \
	const lws_plugin_protocol_t symbol = { \
		.hdr.name = #symbol, \
		.hdr._class = "lws_protocol_plugin", \
		PX_LWS_PLUGIN_HASH \
		.hdr.api_magic = LWS_PLUGIN_API_MAGIC, \
		.protocols = symbol##_protocols, \
		.count_protocols = 1, \
	}

#endif
