// SPDX-License-Identifier: MIT
//
// The page of the system that Praxis replaces: its code has to compile and run as it stands there.

import { snippetsOf } from './snippets.js';
import type { Snippet } from './snippets.js';

export const PAGE = 'test/reference/unified-websocket-system.md';

/** What the page's snippets take from the application around them. */
export const SURROUNDINGS = `
	declare global {
		const myPracticeId: number;
		const practiceId: number;
		const roomId: string;
		const appointmentId: number;
		const userId: number;
		const userName: string;
		const answer: RTCSessionDescriptionInit;
		function refreshWhiteboardData(): void;
		function handleIncomingOffer(offer: RTCSessionDescriptionInit, from: number | string): void;
		function displayChatMessage(text: string, from: string): void;
		function handler(message: object): void;
	}
	export {};
`;

export const FRAGMENT = /^notifications: \{/;

/** The page's TypeScript; the one that is a piece of an object is put where the page says. */
export function referenceSnippets(): Snippet[] {
	return snippetsOf(PAGE)
		.filter(({ language }) => language === 'typescript')
		.map((snippet) => {
			if (!FRAGMENT.test(snippet.code)) {
				return snippet;
			}
			const code =
				'import { webSocketManager } from "@/lib/websocket";\n' +
				`webSocketManager.configure({ services: {\n${snippet.code}} });\n`;
			return { ...snippet, code };
		});
}
