// SPDX-License-Identifier: MIT
//
// The time of day is set back and forth, by people and by machines. What is measured or waited for
// by it stops for as long, so it is read in one file alone, src/environment.ts, and is to be shown
// only. `npm run lint` asks the pages of ../dashboard, ../demo and ../pages with this file.

import tseslint from 'typescript-eslint';

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

export default [
	{
		files: ['**/*.ts'],
		languageOptions: { parser: tseslint.parser },
		linterOptions: { reportUnusedDisableDirectives: 'off' },
		rules: noTimeOfDay,
	},
];
