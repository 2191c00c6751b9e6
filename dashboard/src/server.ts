// SPDX-License-Identifier: MIT
//
// The administrator's messages (docs/protocol.md, section 5) over the client package.

import { PraxisError, webSocketManager } from 'praxis-client';
import type { Id, User, WebSocketMessage } from 'praxis-client';

export type Totals = Record<string, unknown>;

export interface Facts {
	time: number;
	version: string;
	uptimeMs: number;
	draining: boolean;
	/** Whether anybody new can be let in; `notReady` says why not. */
	ready?: boolean;
	notReady?: string[];
}

let told = { time: 0, at: 0 };

/** The server's clock, which its stamps are of; this machine's may be another, and may jump. */
export function noteTime({ time }: Facts): void {
	told = { time, at: performance.now() };
}

export function serverNow(): number {
	return told.time + performance.now() - told.at;
}

export interface Practice {
	practiceId: Id;
	clients: number;
	rooms: number;
	published: number;
}

export interface Stats extends WebSocketMessage {
	server: Facts;
	scope: 'server' | 'practices';
	totals: Totals;
	practices?: Practice[];
}

/** One that is not loaded has its name and nothing to describe. */
export interface Service {
	name: string;
	summary?: string;
	/** What its types begin with, before an underscore; of one that is loaded. */
	prefixes?: string[];
	enabled: boolean;
	loaded: boolean;
	/** Others' sessions that have it, and memberships in its rooms, for server administrators. */
	clients?: number;
	members?: number;
	messages?: { type: string; roles?: string[]; fields?: unknown }[];
	options?: Record<string, unknown>;
}

export interface History extends WebSocketMessage {
	fields: string[];
	samples: number[][];
}

export interface Snapshot extends Stats {
	services: Service[];
	config?: Record<string, unknown>;
}

export interface Client {
	clientId: string;
	userId?: Id;
	role: string;
	practices: Id[];
	services: string[];
	connected: boolean;
	address: string;
	openedAt: number;
	rooms: number;
	queueBytes: number;
	messagesIn: number;
	messagesOut: number;
}

export interface Room {
	service: string;
	roomId: Id;
	practiceId: Id;
	openedAt: number;
	members: number;
	waiting: number;
	clients: unknown[];
}

export interface AuditEvent extends WebSocketMessage {
	n: number;
	at: number;
	entry: Record<string, unknown>;
}

export function isConnected(): boolean {
	return webSocketManager.isConnected();
}

export function me(): User | undefined {
	return webSocketManager.user;
}

/** What the server answers to it; an error of the server's is thrown as PraxisError. */
export function ask<T extends WebSocketMessage>(
	message: WebSocketMessage,
	answer: string,
): Promise<T> {
	return inTurn(async () => {
		let last: WebSocketMessage | undefined;
		const stop = webSocketManager.registerHandler(
			answer,
			(got: WebSocketMessage) => (last = got),
		);
		try {
			await act(message); // the receipt comes behind the answer
		} finally {
			stop();
		}
		if (!last) {
			throw new PraxisError('internal', 'The answer is missing.');
		}
		return last as T;
	});
}

/**
 * For acts, which have no answer but the receipt. What cannot be done now is not done later, when
 * nobody expects it any more.
 */
export async function act(message: WebSocketMessage): Promise<void> {
	if (!isConnected()) {
		throw new PraxisError('disconnected', 'Not connected: nothing was done.');
	}
	await webSocketManager.send(message, { lifetime: 'session' });
}

// One question at a time: an answer does not say to which question it belongs.
let turn: Promise<unknown> = Promise.resolve();

export function inTurn<T>(work: () => Promise<T>): Promise<T> {
	const done = turn.then(work);
	turn = done.catch(() => undefined);
	return done;
}

/** What a person is told of something that failed. */
export function reason(error: unknown): string {
	if (error instanceof PraxisError) {
		return error.message || error.code;
	}
	return error instanceof Error ? error.message : String(error);
}
