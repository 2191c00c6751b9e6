// SPDX-License-Identifier: MIT
//
// What the tests here use of ../../../test/e2e/lib/praxisd.mjs.

declare module 'praxisd-of-tests' {
	export interface Options {
		global?: Record<string, unknown>;
		services?: Record<string, Record<string, unknown> | null>;
		vhost?: Record<string, unknown>;
		files?: Record<string, unknown>;
		env?: Record<string, string>;
	}

	export class Praxisd {
		port: number;
		pid: number;
		log: string;
		start(options?: Options): Promise<this>;
		/** The next process with the same configuration. */
		launch(): Promise<this>;
		exited: Promise<{ code: number | null; signal: string | null }>;
		logged(pattern: RegExp, since?: number): Promise<RegExpExecArray>;
		stats(): Promise<Record<string, number>>;
		/** Waits until nothing is left of any client. */
		settle(): Promise<void>;
		signal(name: string): void;
		/** SIGTERM, and what is asked of an end: 0, in time, with a clean log. */
		stop(): Promise<void>;
		ended(): Promise<void>;
		kill(): Promise<void>;
	}

	export function usePraxisd(options?: Options | (() => Promise<Options>)): Praxisd;
	export function itEnds(praxis: Praxisd): void;
	export function secret(what?: string): string;
}
