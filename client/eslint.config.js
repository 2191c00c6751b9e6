// SPDX-License-Identifier: MIT
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import tseslint from 'typescript-eslint';
import { noTimeOfDay } from './eslint.time.js';

const here = path.dirname(fileURLToPath(import.meta.url));

export default tseslint.config(
	{ ignores: ['dist/', 'build/', 'test/apps/'] },
	{
		files: ['src/**/*.ts', 'test/**/*.ts', 'test/**/*.tsx'],
		extends: [tseslint.configs.strictTypeChecked],
		languageOptions: {
			parserOptions: { project: './tsconfig.json', tsconfigRootDir: here },
		},
		rules: {
			'@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
			'@typescript-eslint/no-confusing-void-expression': [
				'error',
				{ ignoreArrowShorthand: true },
			],
			'@typescript-eslint/no-non-null-assertion': 'error',
			eqeqeq: 'error',
			'no-console': ['error', { allow: ['warn', 'error'] }],
		},
	},
	{ files: ['src/**/*.ts'], ignores: ['src/environment.ts'], rules: noTimeOfDay },
	{
		files: ['test/**/*.ts', 'test/**/*.tsx'],
		rules: {
			// node:test returns promises that it awaits itself.
			'@typescript-eslint/no-floating-promises': 'off',
		},
	},
);
