// SPDX-License-Identifier: MIT
//
// React hooks for the board as shared state, and for who is present on it.

import { openBoard, openPresence, whiteboardService } from './index.js';
import type {
	Board,
	BoardEntry,
	BoardState,
	Id,
	Presence,
	PresentUser,
	Receipt,
	Unsubscribe,
	WhiteboardWebSocketService,
} from './index.js';
import { useCallback, useEffect, useRef, useState } from 'react';

/** What there is once for a practice on a service, and how a component shows it. */
interface Openable<Part, View> {
	open: (practiceId: Id, service: WhiteboardWebSocketService) => [part: Part, close: () => void];
	show: (part: Part) => View;
	/** Until there is something to show. */
	before: View;
}

interface Changing {
	on: (event: 'change', handler: () => void) => Unsubscribe;
}

/** Open, and the service connected, while a component uses it. `what` is the same in each render. */
function useOpened<Part extends Changing, View>(
	what: Openable<Part, View>,
	practiceId: Id,
	service: WhiteboardWebSocketService,
): [view: View, opened: { readonly current: Part | null }] {
	const [view, setView] = useState(what.before);
	const opened = useRef<Part | null>(null);
	useEffect(() => {
		const [part, close] = what.open(practiceId, service);
		const show = () => setView(what.show(part));
		const end = part.on('change', show);
		const holder = {};
		service.manager.connect(holder);
		opened.current = part;
		show();
		return () => {
			end();
			close();
			service.manager.release(holder);
			opened.current = null;
			setView(what.before);
		};
	}, [service, practiceId]);
	return [view, opened];
}

export interface UseBoard<T = unknown> {
	/** By key; a new map with each change. What is not `saved` was changed here a moment ago. */
	board: ReadonlyMap<string, BoardEntry<T>>;
	state: BoardState;
	/** How many changes of this page the server has not confirmed. */
	unsaved: number;
	/** Shown at once; the receipt says that it is kept. */
	setBoardValue: (key: string, value: T) => Promise<Receipt>;
	deleteBoardValue: (key: string) => Promise<Receipt>;
}

type BoardView = Pick<UseBoard, 'board' | 'state' | 'unsaved'>;

const boards: Openable<Board, BoardView> = {
	open(id, service) {
		const { board, close } = openBoard(id, service);
		return [board, close];
	},
	show: ({ entries, state, unsaved }) => ({ board: entries, state, unsaved }),
	before: { board: new Map(), state: 'loading', unsaved: 0 },
};

/** The practice's board as a map that the server keeps; connected while a component uses it. */
export function useBoard<T = unknown>(
	practiceId: Id,
	{ service = whiteboardService }: { service?: WhiteboardWebSocketService } = {},
): UseBoard<T> {
	const [view, opened] = useOpened(boards, practiceId, service);
	return {
		...(view as Pick<UseBoard<T>, keyof BoardView>),
		setBoardValue: useCallback((key, value) => there(opened.current).set(key, value), []),
		deleteBoardValue: useCallback((key) => there(opened.current).delete(key), []),
	};
}

export interface UsePresence {
	/** One's own user too; who came first first. */
	users: readonly PresentUser[];
	/** How many there are besides `users`: "and 12 more". */
	more: number;
	/** False: the server does not offer it. Undefined: not known yet. */
	available: boolean | undefined;
	/** Those who have seen everything up to that update. */
	seenBy: (seq: number) => PresentUser[];
	/** This user has seen everything up to that update; without a number: up to the latest. */
	markSeen: (seq?: number) => void;
}

type PresenceView = Pick<UsePresence, 'users' | 'more' | 'available'>;

const presences: Openable<Presence, PresenceView> = {
	open(id, service) {
		const { presence, close } = openPresence(id, service);
		return [presence, close];
	},
	show: ({ users, more, available }) => ({ users, more, available }),
	before: { users: [], more: 0, available: undefined },
};

/** Who looks at the practice's whiteboard, and how far they have seen it; shows this user to them. */
export function usePresence(
	practiceId: Id,
	{ service = whiteboardService }: { service?: WhiteboardWebSocketService } = {},
): UsePresence {
	const [view, opened] = useOpened(presences, practiceId, service);
	const { users } = view;
	return {
		...view,
		seenBy: useCallback((seq) => users.filter((user) => user.seq >= seq), [users]),
		markSeen: useCallback((seq) => opened.current?.markSeen(seq), []),
	};
}

export interface UseSeen {
	/** "seen by `seen` of `of`": other users that are present, and listed. */
	seen: number;
	of: number;
	/** Who has seen it. */
	users: readonly PresentUser[];
}

/** Which of the others who are present have seen that update; 0: none is meant. */
export function useSeen(
	practiceId: Id,
	seq: number,
	options: { service?: WhiteboardWebSocketService } = {},
): UseSeen {
	const { users } = usePresence(practiceId, options);
	const own = (options.service ?? whiteboardService).manager.user?.userId;
	const others = users.filter(({ userId }) => userId === undefined || `${userId}` !== `${own}`);
	const having = seq > 0 ? others.filter((user) => user.seq >= seq) : [];
	return { seen: having.length, of: others.length, users: having };
}

function there<T>(value: T | null): T {
	if (value === null) {
		throw new Error('praxis-client: the component is not mounted');
	}
	return value;
}
