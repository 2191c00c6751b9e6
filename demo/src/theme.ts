// SPDX-License-Identifier: MIT
//
// Loaded before anything is painted, so that no page flashes in the other theme: what was chosen here, or else what
// the system has. The direction of writing may be told in the address (?dir=rtl), for those who try it.

const dark = matchMedia('(prefers-color-scheme: dark)');

function apply(): void {
	const chosen = localStorage.getItem('praxis-demo-theme') ?? 'system';
	const { dataset } = document.documentElement;
	dataset.theme = chosen === 'system' ? (dark.matches ? 'dark' : 'light') : chosen;
	dataset.chosen = chosen;
}

const direction = new URLSearchParams(location.search).get('dir');
if (direction === 'rtl' || direction === 'ltr') {
	document.documentElement.dir = direction;
}
apply();
dark.addEventListener('change', apply);
addEventListener('storage', apply);
addEventListener('praxis-theme', apply);
