// SPDX-License-Identifier: MIT
//
// node dashboard/build.mjs [directory]

import { bundle } from '../pages/bundle.mjs';

await bundle(import.meta.url);
