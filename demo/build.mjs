// SPDX-License-Identifier: MIT
//
// node demo/build.mjs [directory]

import { bundle } from '../pages/bundle.mjs';

await bundle(import.meta.url, {
	entryPoints: { main: 'src/main.ts', theme: 'src/theme.ts', style: 'style.css' },
	sourcemap: true,
});
