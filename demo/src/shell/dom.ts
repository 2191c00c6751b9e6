// SPDX-License-Identifier: MIT
//
// What the views take of the DOM's helpers, in one place.

export { announce, byId, element } from '../../../pages/dom.js';

/** Is text written from right to left? Then what lies ahead is on the left. */
export function isRightToLeft(): boolean {
	return document.documentElement.dir === 'rtl';
}
