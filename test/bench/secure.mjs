// SPDX-License-Identifier: MIT
//
// A praxisd with a second vhost, over TLS and open to practice 1, for what TLS costs. Of PRAXIS_BUILD.

import { Certificates } from '../e2e/lib/certificates.mjs';
import { Praxisd } from '../e2e/lib/praxisd.mjs';

// { praxis, securePort, end }; `global` is the configuration of the whole server.
export async function startSecure(global) {
	const certificates = await Certificates.make();
	await certificates.issue('server', { subject: '/CN=localhost' });
	const praxis = new Praxisd();
	await praxis.start({
		global,
		files: {
			'conf.d/10-tls.json': {
				vhosts: [
					{
						name: 'secure',
						port: 0,
						interface: '127.0.0.1',
						'open-practice': '1',
						'host-ssl-cert': certificates.path('server.pem'),
						'host-ssl-key': certificates.path('server.key'),
						'ws-protocols': [{ whiteboard: {} }],
					},
				],
			},
		},
	});
	const [, securePort] = await praxis.logged(/vhost secure: listening on 127\.0\.0\.1:(\d+)/);
	const end = async () => {
		await praxis.kill();
		await certificates.remove();
	};
	return { praxis, securePort, end };
}
