#!/usr/bin/env node
// SPDX-License-Identifier: MIT
//
// A server of the shape that Praxis replaces: one Node process on `ws`, which parses each message,
// finds the receivers by practice or room, adds who sent it and when, and sends to each of them. For
// comparison in the benchmark only: no limits, no history, no resumption.
//
// It is as quick as that shape can be: indexes by practice and room instead of a walk over all
// clients, one JSON.stringify() for each message, no compression.
//
//	node test/bench/node-server.mjs PORT [--secret FILE | --jwks FILE] [--cert FILE --key FILE]

import { createHmac, createPublicKey, randomUUID, timingSafeEqual, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';

const { WebSocketServer } = createRequire(new URL('../e2e/package.json', import.meta.url))('ws');

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: {
		secret: { type: 'string' },
		jwks: { type: 'string' },
		cert: { type: 'string' },
		key: { type: 'string' },
	},
});

const secret = values.secret && readFileSync(values.secret, 'utf8').trim();
const key = values.jwks && readKey(values.jwks);
const practices = new Map(); // id → Set of clients
const rooms = new Map();

function readKey(file) {
	const jwk = JSON.parse(readFileSync(file, 'utf8')).keys[0];
	return { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' };
}

function isSigned(input, signature) {
	if (secret) {
		const own = createHmac('sha256', secret).update(input).digest();
		return own.length === signature.length && timingSafeEqual(own, signature);
	}
	return verify('sha256', Buffer.from(input), key, signature);
}

// Who a client is: from its token where there are tokens, else from the query. Undefined: nobody.
function identify(request) {
	if (!secret && !key) {
		const query = new URL(request.url, 'http://localhost').searchParams;
		return { userId: query.get('userId'), practiceId: query.get('practiceId') };
	}
	const [head, body, signature] = (request.headers.authorization ?? '').slice(7).split('.');
	if (!signature || !isSigned(`${head}.${body}`, Buffer.from(signature, 'base64url'))) {
		return undefined;
	}
	const claims = JSON.parse(Buffer.from(body, 'base64url'));
	return claims.exp * 1000 < Date.now()
		? undefined
		: { userId: claims.sub, practiceId: String(claims.practices[0]) };
}

function enter(index, id, client) {
	const members = index.get(id) ?? new Set();
	index.set(id, members);
	members.add(client);
	return members;
}

function leave(index, id, client) {
	const members = index.get(id);
	members?.delete(client);
	if (members?.size === 0) {
		index.delete(id);
	}
}

function tell(members, sender, message) {
	const text = JSON.stringify(message);
	for (const client of members) {
		if (client !== sender && client.readyState === client.OPEN) {
			client.send(text);
		}
	}
}

function stamp(client, message) {
	return {
		...message,
		clientId: client.id,
		practiceId: client.practiceId,
		timestamp: new Date().toISOString(),
	};
}

function join(client, message) {
	const members = enter(rooms, message.roomId, client);
	client.rooms.add(message.roomId);
	tell(members, client, stamp(client, message));
	client.send(
		JSON.stringify({
			type: 'telemedicine_room_joined',
			roomId: message.roomId,
			members: [...members].map(({ id }) => id),
		}),
	);
}

function receive(client, data) {
	const message = JSON.parse(data);
	if (message.type === 'telemedicine_user_joined') {
		join(client, message);
	} else if (message.type.startsWith('telemedicine_')) {
		tell(rooms.get(message.roomId) ?? [], client, stamp(client, message));
	} else if (message.type === 'whiteboard_update') {
		tell(practices.get(client.practiceId), client, stamp(client, message));
	}
	if (message.id !== undefined) {
		client.send(JSON.stringify({ type: 'ack', id: message.id }));
	}
}

function accept(client, request) {
	const identity = identify(request);
	if (!identity) {
		client.close(4401);
		return;
	}
	Object.assign(client, identity, { id: randomUUID(), rooms: new Set() });
	enter(practices, client.practiceId, client);
	client.on('message', (data) => receive(client, data));
	client.on('error', () => {});
	client.on('close', () => {
		leave(practices, client.practiceId, client);
		client.rooms.forEach((id) => leave(rooms, id, client));
	});
	client.send(
		JSON.stringify({
			type: 'connection_established',
			clientId: client.id,
			user: { userId: client.userId },
		}),
	);
}

const server = values.cert
	? https.createServer({ cert: readFileSync(values.cert), key: readFileSync(values.key) })
	: http.createServer();
new WebSocketServer({ server, path: '/ws', perMessageDeflate: false }).on('connection', accept);
server.listen({ port: Number(positionals[0]), host: '127.0.0.1', backlog: 4096 });
