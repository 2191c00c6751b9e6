// SPDX-License-Identifier: MIT
//
// What `run.mjs --nodes 3` runs: files that pass with several servers as they do with one.

export const ON_NODES = ['connect.test.mjs', 'envelope.test.mjs', 'asyncapi.test.mjs'];

// Of the others that were tried: why not. Files that start their servers themselves would test one.
export const NOT_ON_NODES = {
	'whiteboard.test.mjs':
		'a ping overtakes what its session has sent, so that the answer to it is no fence',
	'whiteboard_state.test.mjs': 'publishes over the API of one node; ping as a fence',
	'telemedicine.test.mjs': 'counts the answers to a thousand messages by a ping as a fence',
	'waiting.test.mjs': 'resumes at another node; reads the audit log of one',
	'limits.test.mjs': 'limits are of one node; resumes at another',
	'identity.test.mjs': 'tickets are of one node',
	'rights.test.mjs': 'resumes at another node',
	'api.test.mjs': 'lists and figures are of one node',
	'guesses.test.mjs': 'failures are counted, and tickets are, by one node',
	'attacks.test.mjs': 'changes the files and counts the connections of one node',
	'origins.test.mjs': 'comes from an address of its own, which HAProxy has not; one log line',
	'turns.test.mjs': 'the budget of a turn is that of one node',
	'secrets.test.mjs': 'tickets and the audit log are of one node',
	'http.test.mjs': 'asks for the figures of one node',
	'examples.test.mjs': 'lists the sessions of one node',
	'matrix.test.mjs': 'passes, and takes minutes on a busy machine',
	'pairs.test.mjs': 'restarts and changes one node',
};
