// SPDX-License-Identifier: MIT
//
// Every TypeScript and .mjs file, by what can be seen without types, which takes seconds:
// `scripts/test lint`. The packages are those of client/, whose own configuration adds the rules
// that need types, and takes four times as long.

import { createRequire } from 'node:module';
import { noTimeOfDay } from './client/eslint.time.js';

const require = createRequire(new URL('client/package.json', import.meta.url));
const js = require('@eslint/js');
const globals = require('globals');
const tseslint = require('typescript-eslint');

export default tseslint.config(
	{ ignores: ['**/dist/', '**/build*/', '**/node_modules/'] },
	js.configs.recommended,
	{
		languageOptions: { globals: globals.node },
		linterOptions: { reportUnusedDisableDirectives: 'off' },
		rules: {
			'array-callback-return': 'error',
			'default-case-last': 'error',
			eqeqeq: 'error',
			'no-constructor-return': 'error',
			'no-implicit-coercion': 'error',
			'no-restricted-syntax': [
				'error',
				{
					selector:
						'CallExpression[callee.property.name=/^(toSorted|toReversed|toSpliced|withResolvers|fromAsync)$/]',
					message: 'Debian 12 has Node 18, which does not know it.',
				},
			],
			'no-self-compare': 'error',
			'no-unreachable-loop': 'error',
			// Knows no `??=`.
			'no-unused-private-class-members': 'off',
			'no-unused-vars': ['error', { ignoreRestSiblings: true }],
			'no-use-before-define': [
				'error',
				{ functions: false, classes: false, variables: false },
			],
			'no-var': 'error',
			'object-shorthand': 'error',
			'prefer-const': ['error', { destructuring: 'all' }],
		},
	},
	{
		files: ['**/*.ts', '**/*.tsx'],
		extends: [tseslint.configs.recommended],
	},
	{ files: ['test/browser/**'], languageOptions: { globals: globals.browser } },
	{ files: ['dashboard/src/**', 'demo/src/**', 'pages/*.ts'], rules: noTimeOfDay },
);
