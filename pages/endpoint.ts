// SPDX-License-Identifier: MIT
//
// Where the WebSocket endpoint is: the server tells it in the page, relative to it, so that a prefix
// which a proxy takes off, or a path of the vhost's own, need not be known here.

export function endpoint(): string {
	const told =
		document.querySelector<HTMLMetaElement>('meta[name=praxis-endpoint]')?.content ?? '';
	const url = new URL(told && !told.startsWith('{{') ? told : '/ws', location.href);
	url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
	url.hash = '';
	url.search = '';
	return url.href;
}
