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
	WhiteboardWebSocketService,
} from './index.js';
import { useCallback, useEffect, useRef, useState } from 'react';

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

const EMPTY: BoardView = { board: new Map(), state: 'loading', unsaved: 0 };

/** The practice's board as a map that the server keeps; connected while a component uses it. */
export function useBoard<T = unknown>(
	practiceId: Id,
	{ service = whiteboardService }: { service?: WhiteboardWebSocketService } = {},
): UseBoard<T> {
	const [view, setView] = useState(EMPTY);
	const opened = useRef<Board | null>(null);
	useEffect(() => {
		const { board, close } = openBoard(practiceId, service);
		const show = () =>
			setView({ board: board.entries, state: board.state, unsaved: board.unsaved });
		const end = board.on('change', show);
		const holder = {};
		service.manager.connect(holder);
		opened.current = board;
		show();
		return () => {
			end();
			close();
			service.manager.release(holder);
			opened.current = null;
			setView(EMPTY);
		};
	}, [service, practiceId]);
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

const NOBODY: PresenceView = { users: [], more: 0, available: undefined };

/** Who looks at the practice's whiteboard, and how far they have seen it; shows this user to them. */
export function usePresence(
	practiceId: Id,
	{ service = whiteboardService }: { service?: WhiteboardWebSocketService } = {},
): UsePresence {
	const [view, setView] = useState(NOBODY);
	const opened = useRef<Presence | null>(null);
	useEffect(() => {
		const { presence, close } = openPresence(practiceId, service);
		const show = () => {
			const { users, more, available } = presence;
			setView({ users, more, available });
		};
		const end = presence.on('change', show);
		const holder = {};
		service.manager.connect(holder);
		opened.current = presence;
		show();
		return () => {
			end();
			close();
			service.manager.release(holder);
			opened.current = null;
			setView(NOBODY);
		};
	}, [service, practiceId]);
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
