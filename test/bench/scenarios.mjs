// SPDX-License-Identifier: MIT
//
// What the benchmark measures. `args` are bench-load's, `quick` what makes a run a short one.
// `aim`: what the ratio of Praxis to the floor should not exceed. `peers`: which others run it.
// `smaller`: what a server gets less of, because it would take minutes to set up.
// `variants`: the same load on Praxis (and `peers`) set up in several ways; ratios are to the first.

const ALL = ['nchan', 'mosquitto', 'node'];

const cpu = (result) => result.cpu_ns_per_delivery / 1000;

const delivery = (id, title, args, quick, more = {}) => ({
	id,
	title,
	args,
	quick,
	peers: ALL,
	kind: 'delivery',
	figure: cpu,
	...more,
});

const HANDSHAKE_COLUMNS = {
	'a second': (result) => result.per_second,
	'CPU µs each': (result) => result.cpu_us_per_handshake,
	'p50 ms': (result) => result.handshake_p50_us / 1000,
	'p99 ms': (result) => result.handshake_p99_us / 1000,
};

const DELIVERY_COLUMNS = {
	'CPU µs': cpu,
	'p50 µs': (result) => result.latency_p50_us,
	'p99 µs': (result) => result.latency_p99_us,
};

const WITH_AND_WITHOUT_TLS = [
	{ title: 'Praxis, without TLS' },
	{ title: 'Praxis, TLS 1.3', tls: '1.3' },
	{ title: 'nchan, without TLS', server: 'nchan' },
	{ title: 'nchan, TLS 1.3', tls: '1.3', server: 'nchan' },
];

export const SCENARIOS = [
	delivery('fanout1', 'room of 100, one at a time', ['fanout'], ['--messages', '200'], {
		aim: 1.05,
	}),
	delivery(
		'fanout16',
		'room of 100, 16 in flight',
		['fanout', '--in-flight', '16'],
		['--messages', '2000'],
		{ aim: 1.15 },
	),
	delivery(
		'room1000',
		'room of 1,000, 16 in flight',
		['fanout', '--members', '1000', '--in-flight', '16'],
		['--messages', '64', '--members', '200'],
		{ aim: 1.1 },
	),
	delivery(
		'rooms',
		'100 rooms of 10, 16 in flight each',
		['rooms'],
		['--messages', '16000', '--rooms', '20'],
		{ aim: 1.6 },
	),
	delivery('pairs', '500 pairs that answer each other', ['pairs'], ['--messages', '5000'], {
		aim: 1.35,
	}),
	delivery(
		'pairs16',
		'500 pairs, 16 in flight each',
		['pairs', '--in-flight', '16'],
		['--messages', '5000', '--rooms', '20'],
	),
	delivery(
		'signal',
		'500 pairs, offers with 4 KB of SDP',
		['signal'],
		['--messages', '500', '--rooms', '20'],
	),
	delivery(
		'board',
		'100 practices of 10, updates of 1 KB with receipts',
		['board'],
		['--messages', '1600', '--rooms', '10'],
	),
	delivery(
		'practice',
		'practice of 10,000, 16 in flight',
		['practice', '--members', '10000', '--in-flight', '16'],
		['--messages', '200', '--members', '500'],
		{ seldom: true, smaller: { mosquitto: ['--members', '1000'] } },
	),
	{
		id: 'day',
		title: 'a working day: 2,000 practices of 5, 300 calls, 50 messages a second',
		args: ['day', '--warmup', '0'],
		quick: ['--messages', '100', '--rate', '200', '--rooms', '50'],
		peers: ['node'],
		kind: 'delivery',
		figure: cpu,
		seldom: true,
	},
	{
		id: 'idle',
		title: 'a pair among 10,000 idle connections',
		args: ['idle'],
		quick: ['--messages', '500', '--idle', '500'],
		peers: ALL,
		kind: 'idle',
		aim: 2300,
		seldom: true,
		smaller: { mosquitto: ['--idle', '2000'] },
	},
	{
		id: 'flat',
		seldom: true,
		title: 'cost of a delivery (rooms of 10) beside others',
		kind: 'flat',
		quick: ['--messages', '1600', '--idle', '50'],
		variants: [
			{
				title: '10 channels, then 100,000',
				args: ['rooms', '--rooms', '10', '--idle', '500'],
				alg: 'HS256',
				wide: true,
			},
			{
				title: '100 rooms, then 10,000 idle connections',
				args: ['rooms', '--idle', '10000'],
			},
		],
	},
	{
		id: 'handshakes',
		title: '10,000 clients that come, are greeted and go',
		args: ['handshakes'],
		counted: ['--messages', '10000'],
		quick: ['--messages', '300'],
		variants: [
			{ title: 'Praxis, without a token' },
			{ title: 'Praxis, HS256', alg: 'HS256' },
			{ title: 'Praxis, ES256', alg: 'ES256' },
			{ title: 'Node, ws, without a token', server: 'node' },
			{ title: 'Node, ws, HS256', alg: 'HS256', server: 'node' },
			{ title: 'Node, ws, ES256', alg: 'ES256', server: 'node' },
			{ title: 'nchan', server: 'nchan' },
			{ title: 'Mosquitto', server: 'mosquitto' },
		],
		columns: HANDSHAKE_COLUMNS,
	},
	{
		id: 'tls',
		seldom: true,
		title: 'TLS: clients that come, are greeted and go',
		args: ['handshakes'],
		quick: ['--messages', '200'],
		variants: [
			{ title: 'without TLS' },
			{ title: 'TLS 1.3, full', tls: '1.3' },
			{ title: 'TLS 1.3, resumed', tls: '1.3', args: ['--resume'] },
			{ title: 'TLS 1.2, full', tls: '1.2' },
		],
		columns: HANDSHAKE_COLUMNS,
	},
	{
		id: 'secure1',
		seldom: true,
		title: 'TLS: room of 100, one at a time',
		args: ['fanout'],
		quick: ['--messages', '200'],
		variants: WITH_AND_WITHOUT_TLS,
		columns: DELIVERY_COLUMNS,
	},
	{
		id: 'secure16',
		seldom: true,
		title: 'TLS: room of 100, 16 in flight',
		args: ['fanout', '--in-flight', '16'],
		quick: ['--messages', '2000'],
		variants: WITH_AND_WITHOUT_TLS,
		columns: DELIVERY_COLUMNS,
	},
	{
		id: 'visitors',
		seldom: true,
		title: 'room of 100, while 200 clients a second connect',
		args: ['fanout'],
		quick: ['--messages', '100', '--members', '20'],
		variants: [
			{ title: 'nobody connects' },
			{ title: 'without a token', args: ['--visitors', '200'] },
			{ title: 'HS256', alg: 'HS256', args: ['--visitors', '200'] },
			{ title: 'ES256', alg: 'ES256', args: ['--visitors', '200'] },
		],
		columns: {
			'delivery p50 µs': (result) => result.latency_p50_us,
			'delivery p99 µs': (result) => result.latency_p99_us,
		},
	},
];
