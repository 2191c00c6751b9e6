// SPDX-License-Identifier: MIT
//
// The hooks with React, a DOM and a real praxisd: an application whose routes come and go has one
// connection, also in StrictMode, and none a second after the last of them.

import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { parseHTML } from 'linkedom';
import { createElement, StrictMode, useEffect } from 'react';
import type { ReactNode } from 'react';
import { itEnds, usePraxisd } from 'praxisd-of-tests';
import { useTelemedicineCall, useWebSocketStatus, useWhiteboard } from 'praxis-client/react';
import { WebSocket } from 'ws';
import { Page } from '../lib/page.js';

const { window, document } = parseHTML('<html><body></body></html>');
Object.assign(globalThis, { window, document });
Object.defineProperty(globalThis, 'navigator', { value: { userAgent: '' }, configurable: true });
const { createRoot } = await import('react-dom/client');
const { flushSync } = await import('react-dom');

// This DOM's events are not those of the process.
const never = () => () => {};
const environment = { onWake: never, onHide: never, onNetworkChange: never };

class RTCPeerConnection {
	close(): void {}
}

describe('an application of React', () => {
	const pages: Page[] = [];
	afterEach(() => pages.splice(0).forEach((page) => page.close()));
	const praxis = usePraxisd();

	// Counts the sockets of the application, and shows its routes: a layout with one page in it.
	const open = () => {
		const sockets: Counted[] = [];
		class Counted extends WebSocket {
			constructor(...args: ConstructorParameters<typeof WebSocket>) {
				super(...args);
				sockets.push(this);
			}
		}
		const page = new Page(
			praxis,
			{ practiceId: 1, userId: 7 },
			{ WebSocket: Counted, environment },
		);
		pages.push(page);
		const Layout = ({ children }: { children?: ReactNode }) => {
			const status = useWebSocketStatus(page.manager);
			return createElement('main', { 'data-status': status }, children);
		};
		const Board = ({ practiceId }: { practiceId: number }) => {
			useWhiteboard(practiceId, { service: page.whiteboard });
			return null;
		};
		const Visit = ({ roomId }: { roomId: string }) => {
			const options = {
				roomId,
				appointmentId: 12,
				userId: 7,
				userName: 'Ann',
				qualityMs: 0,
				RTCPeerConnection:
					RTCPeerConnection as unknown as typeof globalThis.RTCPeerConnection,
			};
			useTelemedicineCall(options, page.telemedicine);
			return null;
		};
		// As code of the old system has it: its services, in an effect of its own.
		const Old = () => {
			useEffect(() => {
				const layout = {};
				page.manager.connect(layout);
				return () => page.manager.release(layout);
			}, []);
			return null;
		};
		const root = createRoot(document.createElement('div'));
		const show = (route: ReactNode) =>
			flushSync(() => root.render(<StrictMode>{<Layout>{route}</Layout>}</StrictMode>));
		return { page, sockets, show, root, Board, Visit, Old };
	};

	it('keeps one socket over its routes, in StrictMode', async () => {
		const { page, sockets, show, root, Board, Visit, Old } = open();
		show(<Board practiceId={1} />);
		await page.until('connected', () => page.manager.isConnected());
		const routes = [
			<Visit key="visit" roomId="a" />,
			null,
			<Board key="again" practiceId={1} />,
			<Visit key="other" roomId="b" />,
			<Old key="old" />,
			<Board key="last" practiceId={1} />,
		];
		for (const route of routes) {
			show(route);
			await page.fence();
		}
		assert.equal(sockets.length, 1);
		assert.equal((await praxis.stats())['sessions'], 1);
		root.unmount();
		assert.equal(page.manager.isConnected(), true);
		await page.until('let go', () => page.statuses.at(-1) === 'disconnected');
		assert.equal(sockets.length, 1);
		assert.deepEqual(page.statuses, ['connecting', 'connected', 'disconnected']);
	});

	it('joins a room once when its first page is a visit, in StrictMode', async () => {
		const other = new Page(praxis, { practiceId: 1, userId: 8 }, { environment });
		await other.connected();
		pages.push(other);
		other.telemedicine.joinRoom('r', 12, 8, 'Bob');
		await other.next('telemedicine_room_joined');
		const { page, sockets, show, root, Visit } = open();
		show(<Visit roomId="r" />);
		await page.next('telemedicine_room_joined');
		await other.fence();
		assert.equal(other.of('telemedicine_user_joined').length, 1);
		assert.equal(other.of('telemedicine_user_left').length, 0);
		assert.equal(sockets.length, 1);
		root.unmount();
		await other.next('telemedicine_user_left');
		await page.until('let go', () => page.statuses.at(-1) === 'disconnected');
	});

	itEnds(praxis);
});
