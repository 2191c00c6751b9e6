// SPDX-License-Identifier: MIT
//
// The time of day is set back and forth, by people and by machines. What is measured or waited for
// by it stops for as long, so it is read in one file alone, src/environment.ts, and is to be shown
// only. ../eslint.config.mjs holds the pages of ../dashboard, ../demo and ../pages to it, too.

const message =
	'Measure with performance.now(); for the time of day see client/src/environment.ts.';

export const noTimeOfDay = {
	'no-restricted-properties': ['error', { object: 'Date', property: 'now', message }],
	'no-restricted-syntax': [
		'error',
		{ selector: "NewExpression[callee.name='Date'][arguments.length=0]", message },
		{ selector: "CallExpression[callee.name='Date']", message },
		{ selector: "VariableDeclarator[id.type='ObjectPattern'][init.name='Date']", message },
	],
};
