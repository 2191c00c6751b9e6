// SPDX-License-Identifier: MIT
//
// The services that a page knows of, and which of them it uses. A message belongs to the service
// whose name its type begins with, or which lists it.

import type { ServiceConfig } from './types.js';

const telemedicine = [
	'offer',
	'answer',
	'ice_candidate',
	'user_joined',
	'user_left',
	'chat_message',
	'media_state',
	'typing',
	'room_joined',
	'ice_servers',
	'waiting',
	'waiting_list',
	'denied',
];

export class Services {
	#services = new Map<string, ServiceConfig>();

	constructor() {
		this.set('whiteboard', {
			name: 'Whiteboard',
			messageTypes: ['whiteboard_update', 'whiteboard_subscribed'],
			enabled: true,
		});
		this.set('telemedicine', {
			name: 'Telemedicine',
			messageTypes: telemedicine.map((type) => `telemedicine_${type}`),
			enabled: true,
		});
	}

	set(id: string, service: ServiceConfig): void {
		this.#services.set(id, copy(service));
	}

	/** False: there is no such service. */
	enable(id: string, enabled: boolean): boolean {
		const service = this.#services.get(id);
		if (service) {
			service.enabled = enabled;
		}
		return service !== undefined;
	}

	isEnabled(type: string): boolean {
		for (const [id, { enabled, messageTypes }] of this.#services) {
			if (!enabled && (type.startsWith(`${id}_`) || messageTypes.includes(type))) {
				return false;
			}
		}
		return true;
	}

	all(): Record<string, ServiceConfig> {
		return Object.fromEntries([...this.#services].map(([id, own]) => [id, copy(own)]));
	}
}

function copy(service: ServiceConfig): ServiceConfig {
	return { ...service, messageTypes: [...service.messageTypes] };
}
