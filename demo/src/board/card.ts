// SPDX-License-Identifier: MIT
//
// A card: one patient of the practice's day. What comes from other pages is read with care, as an application would
// read what comes from its clients.

export const COLUMNS = ['Waiting', 'In treatment', 'Checkout', 'Gone home'] as const;
export const HOME = COLUMNS.length - 1;

export const SPECIES = ['Dog', 'Cat', 'Rabbit', 'Bird', 'Horse', 'Other'] as const;

/** The most urgent first. */
export const URGENCIES = ['urgent', 'soon', 'routine'] as const;
export type Urgency = (typeof URGENCIES)[number];
export const URGENCY_WORDS: Record<Urgency, string> = {
	urgent: 'Urgent',
	soon: 'Soon',
	routine: 'Routine',
};

/** In characters. */
export const LIMITS = { patient: 40, owner: 60, reason: 120 };

export interface Card {
	patient: string;
	species: string;
	owner: string;
	reason: string;
	urgency: Urgency;
	column: number;
	/** When the patient came, in ms since 1970. */
	since: number;
	/** Who put it where it is, and when. */
	moved?: { by: string; at: number };
}

type Fields = Partial<Record<keyof Card, unknown>>;

function text(value: unknown, limit: number): string {
	return typeof value === 'string' ? value.slice(0, limit) : '';
}

function number(value: unknown): number {
	return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

/** Null: that is no card. */
export function readCard(value: unknown): Card | null {
	if (typeof value !== 'object' || value === null) {
		return null;
	}
	const fields = value as Fields;
	const patient = text(fields.patient, LIMITS.patient).trim();
	const column = number(fields.column);
	if (!patient || !(column in COLUMNS)) {
		return null;
	}
	const moved = fields.moved as { by?: unknown; at?: unknown } | undefined;
	return {
		patient,
		species: text(fields.species, LIMITS.patient),
		owner: text(fields.owner, LIMITS.owner),
		reason: text(fields.reason, LIMITS.reason),
		urgency: URGENCIES.find((each) => each === fields.urgency) ?? 'routine',
		column,
		since: number(fields.since),
		...(moved && { moved: { by: text(moved.by, LIMITS.owner), at: number(moved.at) } }),
	};
}

/** In a column: what is urgent first, then who came first; of those gone, the last one first. */
export function compareCards(a: Card, b: Card): number {
	if (a.column === HOME) {
		return (b.moved?.at ?? b.since) - (a.moved?.at ?? a.since);
	}
	return URGENCIES.indexOf(a.urgency) - URGENCIES.indexOf(b.urgency) || a.since - b.since;
}

/** "42 min", "1 h 05 min", "3 days". */
export function duration(ms: number): string {
	const minutes = Math.max(0, Math.floor(ms / 60_000));
	const hours = Math.floor(minutes / 60);
	if (hours >= 48) {
		return `${Math.floor(hours / 24)} days`;
	}
	return hours > 0 ? `${hours} h ${String(minutes % 60).padStart(2, '0')} min` : `${minutes} min`;
}

type Sample = [string, string, string, string, Urgency, column: number, minutes: number];

const SAMPLES: Sample[] = [
	['Bella', 'Dog', 'Ms. Hartmann', 'Limping, left foreleg', 'soon', 0, 18],
	['Frieda', 'Rabbit', 'Fam. Lindqvist', 'Has not eaten since yesterday', 'urgent', 0, 6],
	['Milo', 'Cat', 'Mr. Okafor', 'Yearly vaccination', 'routine', 0, 34],
	['Rocky', 'Dog', 'Mr. Brandt', 'X-ray of the hip', 'soon', 1, 52],
	['Coco', 'Bird', 'Ms. Yilmaz', 'Trimming of beak and claws', 'routine', 1, 27],
	['Luna', 'Cat', 'Ms. Moreau', 'Dental cleaning, awake again', 'routine', 2, 95],
	['Balu', 'Dog', 'Fam. Nowak', 'Stitches removed', 'routine', 3, 130],
];

/** The same everywhere, so that a first page has something to show. */
export function samples(now: number): [id: string, card: Card][] {
	return SAMPLES.map(([patient, species, owner, reason, urgency, column, minutes], at) => [
		`sample-${at}`,
		{ patient, species, owner, reason, urgency, column, since: now - minutes * 60_000 },
	]);
}
