// SPDX-License-Identifier: MIT
//
// What a call is told, and what it tells.

import type { DeviceEvent } from './devices.js';
import type { Switches } from './local-media.js';
import type { PeerConnectionConstructor } from './peer.js';
import type { ConnectionQuality, QualityStep } from './quality.js';
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
	/** What of the stream is switched on at first; without it, what its tracks say. */
	media?: Switches;
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
	/** Nothing is to be heard: switched off there, or nothing arrives. */
	readonly muted: boolean;
	/** Nothing is to be seen: switched off there, or no picture arrives (yet). */
	readonly cameraOff: boolean;
	/** The picture is of a screen. */
	readonly sharing: boolean;
	readonly speaking: boolean;
	/** Is writing for the chat. */
	readonly typing: boolean;
}

/** What is known of oneself. */
export interface CallSelf {
	readonly speaking: boolean;
	/** Of what the others get from here; there once somebody is connected. */
	readonly quality?: QualityStep;
}

export interface CallChatMessage extends TelemedicineChatMessage {
	/** Of this page alone; stays the same when the state changes. */
	localId: string;
	/** This user's, from here or another device. */
	own: boolean;
	/** Of what was said here: under way, taken by the server, or refused (see `retryChat()`). */
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
	/** Somebody else is in front now; null: who was has left. */
	activeSpeaker: [member: CallMember | null];
	self: [self: CallSelf];
	error: [error: PraxisError];
}
