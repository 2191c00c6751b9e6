// SPDX-License-Identifier: MIT
//
// The curves, drawn. What a chart shows its caption says in words, for those who do not see it.

import uPlot from 'uplot';
import type { Curves } from './curves.js';
import { element, setText } from './dom.js';
import { clock } from './format.js';

export interface Line {
	label: string;
	name: string;
	rate?: boolean;
}

export interface ChartOptions {
	title: string;
	lines: Line[];
	format: (value: number) => string;
}

const HEIGHT = 170;
const SHORTEST_S = 120;

function colour(name: string): string {
	return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export class Chart {
	readonly node: HTMLElement;
	#caption = element('figcaption');
	#canvas = element('div');
	#plot: uPlot | undefined;
	#data: uPlot.AlignedData = [[]];

	constructor(readonly options: ChartOptions) {
		this.#canvas.setAttribute('aria-hidden', 'true');
		this.node = element('figure', { className: 'chart' }, this.#caption, this.#canvas);
		new ResizeObserver(() => this.#fit()).observe(this.#canvas);
		matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#redo());
	}

	show(curves: Curves): void {
		const { lines, title, format } = this.options;
		const values = lines.map(({ name, rate }) =>
			rate ? curves.rate(name) : curves.level(name),
		);
		this.#data = [curves.times(), ...values];
		const now = lines.map(({ label }, at) => {
			const value = values[at]!.at(-1);
			return `${label} ${typeof value === 'number' ? format(value) : '–'}`;
		});
		setText(this.#caption, `${title}: ${now.join(', ')}`);
		this.#plot?.setData(this.#data);
		this.#fit();
	}

	#redo(): void {
		this.#plot?.destroy();
		this.#plot = undefined;
		this.#fit();
	}

	#fit(): void {
		const width = this.#canvas.clientWidth;
		if (width === 0) {
			return; // not looked at
		}
		if (!this.#plot) {
			this.#plot = this.#make(width);
		} else if (this.#plot.width !== width) {
			this.#plot.setSize({ width, height: HEIGHT });
		}
	}

	#make(width: number): uPlot {
		const { lines, format } = this.options;
		const colours = ['--accent', '--second', '--danger'].map(colour);
		const axis = {
			stroke: colour('--faint'),
			grid: { stroke: colour('--line'), width: 1 },
			ticks: { stroke: colour('--line'), width: 1 },
		};
		return new uPlot(
			{
				width,
				height: HEIGHT,
				legend: { show: lines.length > 1, live: false },
				cursor: { show: false },
				scales: {
					x: { range: (_plot, min, max) => [Math.min(min, max - SHORTEST_S), max] },
					y: { range: (_plot, _min, max) => [0, Math.max(1, max * 1.1)] },
				},
				axes: [
					{
						...axis,
						space: 70,
						values: (_plot, all) => all.map((at) => clock(at * 1000)),
					},
					{ ...axis, size: 64, values: (_plot, all) => all.map(format) },
				],
				series: [
					{},
					...lines.map(({ label }, at) => ({
						label,
						stroke: colours[at],
						width: 2,
						dash: at === 1 ? [6, 4] : [],
						points: { show: false },
					})),
				],
			},
			this.#data,
			this.#canvas,
		);
	}
}
