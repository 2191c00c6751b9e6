// SPDX-License-Identifier: MIT
//
// Whether a relay (TURN) can be reached: ICE that may use nothing else gets a candidate, or none.

import { Timer } from './environment.js';
import type { Environment } from './environment.js';

export type RelayAnswer =
	/** It has given this browser an address. */
	| 'reached'
	/** The server has none configured. */
	| 'no_relay'
	/** It does not answer; a firewall may be in between. */
	| 'unreachable'
	/** It refuses the credentials. */
	| 'unauthorized';

/** STUN's error codes (RFC 8489, RFC 8656) that say that the credentials are no good. */
const UNAUTHORIZED = [401, 431, 437, 441];

const isRelay = ({ urls }: RTCIceServer) => [urls].flat().some((url) => /^turns?:/i.test(url));

/** `aborted`: calls what it is given when nobody awaits the answer any more. */
export function probeRelay(
	servers: RTCIceServer[],
	environment: Environment,
	timeoutMs: number,
	aborted: (run: () => void) => void,
): Promise<RelayAnswer> {
	const iceServers = servers.filter(isRelay);
	if (iceServers.length === 0) {
		return Promise.resolve('no_relay');
	}
	return new Promise((resolve) => {
		const peer = new RTCPeerConnection({ iceServers, iceTransportPolicy: 'relay' });
		const timer = new Timer(environment);
		let failure: RelayAnswer = 'unreachable';
		const end = (answer: RelayAnswer) => {
			timer.clear();
			if (peer.signalingState !== 'closed') {
				peer.close();
				resolve(answer);
			}
		};
		aborted(() => end(failure));
		timer.set(timeoutMs, () => end(failure));
		peer.onicecandidate = ({ candidate }) => {
			if (candidate?.candidate.includes(' typ relay')) {
				end('reached');
			} else if (!candidate) {
				end(failure);
			}
		};
		peer.onicecandidateerror = ({ errorCode }) => {
			if (UNAUTHORIZED.includes(errorCode)) {
				failure = 'unauthorized';
			}
		};
		peer.createDataChannel('probe');
		peer.createOffer().then(
			(offer) => peer.setLocalDescription(offer),
			() => end(failure),
		);
	});
}
