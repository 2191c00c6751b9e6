// SPDX-License-Identifier: MIT
//
// Notifications for pages, on the connection of praxis-client. The package knows nothing of this
// service: its messages are described here, and what is sent and handled has these types.

import { webSocketManager } from 'praxis-client';
import type {
	Id,
	MessageHandler,
	Receipt,
	Received,
	Unsubscribe,
	WebSocketManager,
} from 'praxis-client';

/** What handlers get, by type. */
export interface NotificationMessages {
	notification_sent: {
		practiceId: Id;
		notificationId: Id;
		text?: string;
		/** Who sent it; the application's back end has none. */
		userId?: Id;
		seq: number;
	};
	notification_read: { practiceId: Id; notificationId: Id };
	notification_subscribed: {
		practiceId: Id;
		epoch: string;
		seq: number;
		/** What was missed follows. False: it is not known any more, or nothing was asked for. */
		recovered: boolean;
	};
}

/** What is sent, by type. */
export interface NotificationRequests {
	notification_sent: { practiceId: Id; notificationId: Id; text?: string };
	notification_read: { practiceId: Id; notificationId: Id };
	notification_subscribe: { practiceId: Id; since?: { epoch: string; seq: number } };
}

export type NotificationSent = Received<NotificationMessages, 'notification_sent'>;
export type NotificationRead = Received<NotificationMessages, 'notification_read'>;
export type NotificationSubscribed = Received<NotificationMessages, 'notification_subscribed'>;

export type NotificationManager = WebSocketManager<NotificationMessages, NotificationRequests>;

export interface Follower {
	/** Each once, in order, those included that were missed while offline. */
	onSent(notification: NotificationSent): void;
	/** Some were missed that the server has no more: load them from the application. */
	onGap?(): void;
}

interface Practice {
	id: Id;
	follower: Follower;
	since?: { epoch: string; seq: number };
	/** What came before the server's answer, while one is awaited. */
	early: NotificationSent[] | null;
}

export class Notifications {
	#manager: NotificationManager;
	#practices = new Map<string, Practice>();

	constructor(manager: NotificationManager = webSocketManager.typed()) {
		this.#manager = manager;
		manager.registerHandler('notification_sent', (message) => this.#sent(message));
		manager.registerHandler('notification_subscribed', (message) => this.#subscribed(message));
		manager.on('session', ({ resumed }) => {
			if (!resumed) {
				this.#practices.forEach((practice) => this.#subscribe(practice));
			}
		});
	}

	/** One follower for each practice. */
	follow(id: Id, follower: Follower): Unsubscribe {
		const practice: Practice = { id, follower, early: null };
		this.#practices.set(String(id), practice);
		this.#manager.ensure(this);
		if (this.#manager.isConnected()) {
			this.#subscribe(practice);
		}
		return () => {
			this.#practices.delete(String(id));
		};
	}

	/** The receipt has its `seq`. */
	send(practiceId: Id, notificationId: Id, text?: string): Promise<Receipt> {
		return this.#manager.send({ type: 'notification_sent', practiceId, notificationId, text });
	}

	/** Tells the other screens of this user. False: refused. */
	read(practiceId: Id, notificationId: Id): boolean {
		return this.#manager.sendMessage({ type: 'notification_read', practiceId, notificationId });
	}

	/** Another screen of this user has read it. */
	onRead(handler: MessageHandler<NotificationRead>): Unsubscribe {
		return this.#manager.registerHandler('notification_read', handler);
	}

	#subscribe(practice: Practice): void {
		practice.early = [];
		this.#manager.sendMessage(
			{ type: 'notification_subscribe', practiceId: practice.id, since: practice.since },
			{ lifetime: 'restored' },
		);
	}

	#subscribed({ practiceId, epoch, seq, recovered }: NotificationSubscribed): void {
		const practice = this.#practices.get(String(practiceId));
		if (!practice?.early) {
			return;
		}
		const { early, since } = practice;
		practice.early = null;
		if (recovered) {
			return; // those that came early come again, among what follows
		}
		practice.since = { epoch, seq };
		if (since) {
			practice.follower.onGap?.();
		}
		early.forEach((notification) => practice.follower.onSent(notification));
	}

	#sent(notification: NotificationSent): void {
		const practice = this.#practices.get(String(notification.practiceId));
		if (practice?.early) {
			practice.early.push(notification);
		} else if (practice) {
			practice.since = practice.since && { ...practice.since, seq: notification.seq };
			practice.follower.onSent(notification);
		}
	}
}
