// SPDX-License-Identifier: MIT
//
// What a call is told, and what it tells.

import type { PeerConnectionConstructor } from './peer.js';
import type { DeviceEvent } from './devices.js';
import type { ConnectionQuality } from './quality.js';
import type {
	Id,
	LeaveReason,
	MediaState,
	RoomId,
	PraxisError,
	RoomMember,
	TelemedicineChatMessage,
	WaitingMember,
} from './types.js';

export interface CallOptions {
	roomId: RoomId;
	appointmentId: Id;
	userId: Id;
	userName: string;
	/** Needed only where the user has several practices. */
	practiceId?: Id;
	/** One's own camera and microphone; without it one watches and listens. */
	stream?: MediaStream | null;
	/** More for RTCPeerConnection; `iceServers` here replace those of the server. */
	rtc?: RTCConfiguration;
	/** How often connection quality is measured (2000); 0: never. */
	qualityMs?: number;
	RTCPeerConnection?: PeerConnectionConstructor;
}

export type CallState = 'joining' | 'waiting' | 'joined' | 'ended';

/** Why a call ended: as the server said it of us, or the code of its refusal. */
export type EndReason = LeaveReason | (string & {});

export interface CallMember extends Readonly<RoomMember> {
	readonly stream: MediaStream | null;
	readonly connection: RTCPeerConnectionState;
	readonly quality?: ConnectionQuality;
}

export interface CallChatMessage extends TelemedicineChatMessage {
	/** Of one's own: under way, taken by the server, or refused. */
	state?: 'pending' | 'sent' | 'failed';
}

export interface CallEvents {
	state: [state: CallState];
	/** Anything about any member has changed; `call.members` is a new array. */
	members: [members: readonly CallMember[]];
	joined: [member: CallMember];
	left: [member: CallMember, reason: LeaveReason];
	/** A member's picture and sound; again when it is another stream. */
	stream: [stream: MediaStream, member: CallMember];
	waiting: [waiting: readonly WaitingMember[]];
	quality: [quality: ConnectionQuality, member: CallMember];
	chat: [message: CallChatMessage];
	/** The state of one's own message has changed; `call.chat` is a new array. */
	chatState: [message: CallChatMessage];
	/** What one sends oneself. */
	media: [media: MediaState];
	/** Trouble with a camera or microphone, with a sentence for the user. */
	device: [event: DeviceEvent];
	error: [error: PraxisError];
}
