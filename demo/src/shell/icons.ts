// SPDX-License-Identifier: MIT
//
// Icons, drawn with strokes in a square of 24. They are decoration: a label or a word is beside each.

const PATHS = {
	add: 'M12 5v14M5 12h14',
	alert: 'M12 4 2.8 20h18.4zM12 10v4M12 17v.01',
	board: 'M4 4h16v16H4zM10 4v16M15 4v16',
	check: 'm5 13 4 4L19 7',
	clock: 'M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18zM12 7v5l3 2',
	close: 'M6 6l12 12M18 6 6 18',
	edit: 'M4 20h4L19 9l-4-4L4 16zM13 7l4 4',
	grip: 'M9 6v.01M15 6v.01M9 12v.01M15 12v.01M9 18v.01M15 18v.01',
	link: 'M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1',
	lock: 'M6 11h12v9H6zM8 11V8a4 4 0 0 1 8 0v3',
	more: 'M5 12v.01M12 12v.01M19 12v.01',
	next: 'M5 12h14M13 6l6 6-6 6',
	offline:
		'M3 3l18 18M5 12a10 10 0 0 1 4-2M2 8a16 16 0 0 1 4-2M12 6a16 16 0 0 1 10 4M8 16a6 6 0 0 1 7-1M12 20v.01',
	previous: 'M19 12H5M11 6l-6 6 6 6',
	remove: 'M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v6M14 11v6',
	theme: 'M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18',
	undo: 'M9 7 4 12l5 5M4 12h10a6 6 0 0 1 6 6',
	video: 'M3 7h12v10H3zM15 11l6-4v10l-6-4',
	windows: 'M8 8h12v12H8zM4 16V4h12',
} as const;

export type IconName = keyof typeof PATHS;

const SVG = 'http://www.w3.org/2000/svg';
/** Those that point along the text, and turn with it. */
const TURN: readonly IconName[] = ['next', 'previous', 'undo'];

export function drawing(paths: string): SVGSVGElement {
	const svg = document.createElementNS(SVG, 'svg');
	const path = document.createElementNS(SVG, 'path');
	path.setAttribute('d', paths);
	svg.setAttribute('viewBox', '0 0 24 24');
	svg.setAttribute('class', 'icon');
	svg.setAttribute('aria-hidden', 'true');
	svg.append(path);
	return svg;
}

export function icon(name: IconName): SVGSVGElement {
	const made = drawing(PATHS[name]);
	made.dataset.icon = name;
	if (TURN.includes(name)) {
		made.dataset.turns = '';
	}
	return made;
}
