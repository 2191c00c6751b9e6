// SPDX-License-Identifier: MIT
//
// The button that chooses the theme: as the system, light, dark. ../theme.ts applies it.

import { byId } from './dom.js';
import { icon } from './icons.js';
import { attachMenu } from './menu.js';

const THEMES = { system: 'As the system', light: 'Light', dark: 'Dark' };

export function themeButton(): void {
	const button = byId<HTMLButtonElement>('theme');
	button.append(icon('theme'));
	attachMenu(button, () =>
		Object.entries(THEMES).map(([theme, label]) => ({
			label,
			checked: document.documentElement.dataset.chosen === theme,
			run() {
				localStorage.setItem('praxis-demo-theme', theme);
				dispatchEvent(new Event('praxis-theme'));
			},
		})),
	);
}
