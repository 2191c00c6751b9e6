// SPDX-License-Identifier: MIT
//
// All messages that a client may send, as a table: the fields that the protocol gives each, and
// their kinds. The tests of missing and wrong fields are made of it, so a new message needs a row
// here and no test of its own.

const long = (length) => JSON.stringify('x'.repeat(length));

// What a field of each kind may be (JSON text), and what not.
export const KINDS = {
	id: {
		good: ['7', '-7', '"7"', '"an-id"', long(128)],
		bad: ['7.5', '7.0', '7e0', '7E+2', 'true', 'null', '[]', '[7]', '{}', '""', long(129)],
	},
	clientId: { good: ['"nobody"'], bad: ['true', 'null', '7.5', '[]', '{}'] },
	object: { good: ['{}', '{"sdp":"v=0\\r\\n"}'], bad: ['7', '"x"', 'true', 'null', '[]'] },
	objectOrNull: { good: ['{}', 'null'], bad: ['7', '"x"', 'true', '[]'] },
	string: { good: ['""', '"x"'], bad: ['7', 'true', 'null', '[]', '{}'] },
	boolean: { good: ['true', 'false'], bad: ['1', '0', '"true"', 'null', '[]', '{}'] },
	integer: { good: ['0'], bad: ['"1"', '1.5', 'true', 'null', '[]', '{}'] },
	since: {
		good: ['{"epoch":"e","seq":1}'],
		bad: [
			'7',
			'"x"',
			'true',
			'null',
			'[]',
			'{}',
			'{"seq":1}',
			'{"epoch":"e"}',
			'{"epoch":1,"seq":1}',
			'{"epoch":"e","seq":"1"}',
			'{"epoch":"e","seq":1.5}',
			'{"epoch":"e","seq":null}',
		],
	},
	any: { good: ['7', '"x"', 'null', '[]', '{}'], bad: [] },
};

const call = { roomId: 'id', appointmentId: 'id' };
const signal = { ...call, from: 'id', 'to?': 'id', 'practiceId?': 'id' };

// A name with `?` is optional.
export const MESSAGES = {
	echo_say: { text: 'string' },
	whiteboard_subscribe: { practiceId: 'id', 'since?': 'since', 'state?': 'boolean' },
	whiteboard_unsubscribe: { practiceId: 'id' },
	whiteboard_update: { practiceId: 'id', 'data?': 'any', 'keep?': 'boolean' },
	whiteboard_presence: { practiceId: 'id', 'present?': 'boolean' },
	whiteboard_seen: { practiceId: 'id', seq: 'integer' },
	telemedicine_user_joined: { ...call, userId: 'id', userName: 'string', 'practiceId?': 'id' },
	telemedicine_user_left: { ...call, userId: 'id', 'practiceId?': 'id' },
	telemedicine_offer: { ...signal, offer: 'object' },
	telemedicine_answer: { ...signal, answer: 'object' },
	telemedicine_ice_candidate: { ...signal, candidate: 'objectOrNull' },
	telemedicine_chat_message: {
		...call,
		message: 'string',
		from: 'id',
		fromUserId: 'id',
		'practiceId?': 'id',
	},
	telemedicine_media_state: {
		roomId: 'id',
		audio: 'boolean',
		video: 'boolean',
		screen: 'boolean',
		'practiceId?': 'id',
	},
	telemedicine_typing: { roomId: 'id', typing: 'boolean', 'practiceId?': 'id' },
	telemedicine_ice_servers: { 'roomId?': 'id' },
	telemedicine_admit: { roomId: 'id', clientId: 'clientId' },
	telemedicine_deny: { roomId: 'id', clientId: 'clientId', 'reason?': 'string' },
	telemedicine_remove: { roomId: 'id', clientId: 'clientId' },
	telemedicine_end: { roomId: 'id' },
};

// The message as JSON text, with `values` (field → JSON text) over the table's first good ones,
// an optional field only if it is given, and a field given as null left out.
export function compose(type, values = {}) {
	const all = {};
	for (const [name, kind] of Object.entries(MESSAGES[type])) {
		if (!name.endsWith('?')) {
			all[name] = KINDS[kind].good[0];
		}
	}
	const parts = Object.entries({ ...all, ...values })
		.filter(([, value]) => value !== null)
		.map(([name, value]) => `,"${name}":${value}`);
	return `{"type":"${type}"${parts.join('')}}`;
}

// Every message that has one thing wrong: { what, type, field, text }.
export function* malformed() {
	for (const [type, fields] of Object.entries(MESSAGES)) {
		for (const [name, kind] of Object.entries(fields)) {
			const field = name.replace('?', '');
			if (!name.endsWith('?')) {
				yield { what: 'missing', type, field, text: compose(type, { [field]: null }) };
			}
			for (const value of KINDS[kind].bad) {
				yield {
					what: value.slice(0, 40),
					type,
					field,
					text: compose(type, { [field]: value }),
				};
			}
		}
	}
}
