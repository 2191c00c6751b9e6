// SPDX-License-Identifier: MIT
//
// The call: one room that everybody of the practice may join, with chat.

import type { Context, View } from '../shell/router.js';
import { Visit } from './visit.js';

export class CallView implements View {
	readonly route = 'call';
	readonly title = 'Call';

	start({ user }: Context): void {
		new Visit(user);
	}
}
