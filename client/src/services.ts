// SPDX-License-Identifier: MIT
//
// The services that a page knows of, and which of them it uses. A message belongs to the service
// whose name its type begins with, or which lists it.

import type { ServiceConfig } from './types.js';

/** Those of Praxis. Their messages are known by their prefix. */
const OWN = ['Whiteboard', 'Telemedicine'];

export class Services {
	#services = new Map<string, ServiceConfig>();

	constructor() {
		OWN.forEach((name) =>
			this.set(name.toLowerCase(), { name, messageTypes: [], enabled: true }),
		);
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
