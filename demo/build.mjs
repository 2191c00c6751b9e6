// SPDX-License-Identifier: MIT
//
// node demo/build.mjs [directory]

import { bundle } from '../pages/bundle.mjs';

await bundle(import.meta.url, { sourcemap: true });
