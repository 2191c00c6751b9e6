// SPDX-License-Identifier: MIT
//
// The icons that only the call has; see ../shell/icons.ts.

import { drawing } from '../shell/icons.js';

const OFF = 'M4 4l16 16';
const MICROPHONE =
	'M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM5 11a7 7 0 0 0 14 0M12 18v3M9 21h6';
const CAMERA = 'M3 6h12v12H3zM15 11l6-4v10l-6-4';
const SCREEN = 'M3 4h18v12H3zM8 20h8M12 16v4';

const PATHS = {
	microphone: MICROPHONE,
	microphoneOff: `${MICROPHONE}${OFF}`,
	camera: CAMERA,
	cameraOff: `${CAMERA}${OFF}`,
	screen: `${SCREEN}M12 13V7M9.500 9.500 12 7l2.500 2.500`,
	screenOff: `${SCREEN}M9 7l6 6M15 7l-6 6`,
	chat: 'M4 5h16v11h-9l-5 4v-4H4z',
	devices: 'M4 7h9M17 7h3M15 5v4M4 17h3M11 17h9M9 15v4',
	leave: 'M3 13c5-5 13-5 18 0l-2 3-4-1.500v-2.500a9 9 0 0 0-6 0v2.500L5 16z',
	people: 'M9 5a3 3 0 1 0 0 6a3 3 0 0 0 0-6zM3 20c0-8 12-8 12 0M16 5.500a3 3 0 0 1 0 5.500M17.500 14.500c2.500 1 3.500 3 3.500 5.500',
	door: 'M6 21V3h12v18M3 21h18M14 12v.010',
	connection: 'M4 17v3M10 13v7M16 9v11M22 5v15',
} as const;

export type CallIcon = keyof typeof PATHS;

export function callIcon(name: CallIcon): SVGSVGElement {
	return drawing(PATHS[name]);
}
